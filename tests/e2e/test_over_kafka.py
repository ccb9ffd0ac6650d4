"""The services over a real Kafka and a real Postgres, each as a process of its own."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from tests.e2e.apart import services_apart
from tests.e2e.test_apart import SERVICES, is_whole
from well.demo.company import make_company
from well.demo.scene import SEED

GROUPS = {"ingest.normalize", "matcher.entities", "pusher.intend", "console.show"}

_READ_KAFKA = """
SELECT group_name FROM ingest.kafka_offset UNION SELECT group_name FROM matcher.kafka_offset
UNION SELECT group_name FROM pusher.kafka_offset UNION SELECT group_name FROM console.kafka_offset
"""


async def test_a_company_goes_from_consent_to_posted_invoices_over_kafka(
    bytecode: Path, kafka: str, topic_prefix: str
) -> None:
    company = make_company(SEED, datetime.now(UTC).date())
    async with services_apart(company, bytecode, (kafka, topic_prefix)) as apart:
        apart.start(*SERVICES)
        await apart.ready(*SERVICES)
        await apart.connect()
        summary = await apart.finished()
        await is_whole(apart, summary)
        assert summary.linked > 0
        assert summary.review > 0
        assert {row["group_name"] for row in await apart.admin.fetch(_READ_KAFKA)} >= GROUPS
        assert await apart.stop(*SERVICES) == dict.fromkeys(SERVICES, 0)
        assert not [service for service in SERVICES if "Traceback" in apart.complaints(service)]
