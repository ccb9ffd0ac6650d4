"""The services over a real Kafka and a real Postgres, each as a process of its own."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.e2e.apart import Apart
from tests.e2e.apart_world import services_apart
from tests.e2e.books import bills_file
from tests.e2e.decided import decided_in_one_process, first_decisions
from tests.e2e.killing import killed_in_turn
from tests.e2e.test_apart import SERVICES, is_whole
from tests.support.until import until
from tests.support.web import web_client
from well.demo.company import Company, company_from_csv, make_company, read_bills_csv
from well.demo.scene import SEED
from well.demo.summary import Summary

RUNNING = (*SERVICES, "insights")

GROUPS = {"ingest.normalize", "matcher.entities", "pusher.intend", "console.show"}

_READ_KAFKA = """
SELECT group_name FROM ingest.kafka_offset UNION SELECT group_name FROM matcher.kafka_offset
UNION SELECT group_name FROM pusher.kafka_offset UNION SELECT group_name FROM console.kafka_offset
"""


def _made_up() -> Company:
    return make_company(SEED, datetime.now(UTC).date())


async def test_a_company_goes_from_consent_to_posted_invoices_over_kafka_as_it_does_without(
    bytecode: Path, kafka: str, topic_prefix: str, open_folder: Path
) -> None:
    async with services_apart(_made_up(), bytecode, (kafka, topic_prefix)) as apart:
        apart.start(*RUNNING)
        await apart.ready(*RUNNING)
        await apart.connect()
        summary = await apart.finished()
        await is_whole(apart, summary)
        assert summary.linked > 0
        assert summary.review > 0
        await _figures_say_the_same(apart, summary)
        assert {row["group_name"] for row in await apart.admin.fetch(_READ_KAFKA)} >= GROUPS
        over_kafka = await first_decisions(apart.reader, apart.workspace)
        assert await apart.stop(*RUNNING) == dict.fromkeys(RUNNING, 0)
        assert not [service for service in RUNNING if "Traceback" in apart.complaints(service)]
    assert over_kafka == await decided_in_one_process(_made_up(), open_folder, len(over_kafka))


async def _figures_say_the_same(apart: Apart, summary: Summary) -> None:
    """What insights read off the topics is what the services' own tables say."""
    async with web_client() as http:

        async def told() -> bool:
            answer = await http.get(f"{apart.url('insights')}/insights", params={"hours": 2})
            figures = answer.json()["together"]
            return bool(figures["posted"] == summary.posted and figures["queued"] >= summary.review > 0)

        await until(told)


@pytest.mark.slow
async def test_two_matchers_and_two_pushers_of_which_one_each_is_killed_again_and_again_lose_nothing(
    bytecode: Path, kafka: str, topic_prefix: str, tmp_path: Path
) -> None:
    company = company_from_csv(read_bills_csv(bills_file(tmp_path, 60), None), SEED, datetime.now(UTC).date())
    async with services_apart(company, bytecode, (kafka, topic_prefix)) as apart:
        names = (*SERVICES, "matcher-2", "pusher-2")
        apart.start(*names)
        await apart.ready(*names)
        await apart.connect()
        await killed_in_turn(apart, ("matcher", "pusher", "matcher-2", "pusher-2"))
        await is_whole(apart, await apart.finished())
