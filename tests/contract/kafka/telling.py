"""Well's side of a topic, without a relay: events in real logs, the messages that tell of them, and auth over HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from uuid import UUID, uuid4

from aiokafka import AIOKafkaProducer

import libs.contracts
from libs.bus.kafka.message import LogRow, message_of, partition_of
from libs.bus.kafka.topic_plan import plan_topics, wanted_topics
from libs.bus.kafka.topics import open_topics
from libs.contracts.envelope import Envelope, enveloped
from libs.contracts.topics import log_of
from libs.database.memory import MemoryDatabase
from libs.eventlog.memory import MemoryEventLog
from libs.eventlog.port import Position, RawDelivery
from libs.eventlog.postgres import PostgresEventLog
from libs.runtime.clock import SystemClock
from libs.runtime.listen import bound_socket, port_of
from libs.runtime.serving import serving
from services.auth.adapters.memory import MemoryAuthStore
from services.auth.main import AuthService
from tests.support.auth import build_auth
from tests.support.keys import sealer_over
from tests.support.postgres import PostgresFixture

TOPICS: Final = ("match.decided.v1", "qonto.posted.v1")
PARTITIONS: Final = 3

_EXAMPLES: Final = Path(libs.contracts.__file__).parent / "examples"

_ROWS: Final = """
SELECT bucket, sequence, workspace, event_id, topic, event_type, occurred_at, record_key, sealed,
       coalesce(lag(sequence) OVER (PARTITION BY topic, bucket ORDER BY sequence), 0) AS previous
FROM {log}.event_log ORDER BY bucket, sequence
"""


def golden_events(workspace: UUID) -> list[Envelope]:
    """The golden events of both topics, told of this workspace."""
    files = [file for topic in TOPICS for file in sorted((_EXAMPLES / topic).glob("*.json"))]
    return [told_of(workspace, Envelope.model_validate_json(file.read_bytes())) for file in files]


def told_of(workspace: UUID, event: Envelope) -> Envelope:
    """The same, of a workspace and for a cause of its own, which makes it another event."""
    return enveloped(
        event.payload, workspace=workspace, record=event.record, cause=uuid4(), occurred_at=event.occurred_at
    )


@dataclass(frozen=True)
class Telling:
    """Well's side.

    Attributes:
        postgres: Where the logs are.
        auth: Who has the keys.
        url: Where it listens.
        bootstrap: The brokers.
        prefix: What this test's topics begin with.
    """

    postgres: PostgresFixture
    auth: AuthService
    url: str
    bootstrap: str
    prefix: str

    async def make_topics(self) -> None:
        """Make the topics that are told of."""
        wanted = [
            topic
            for topic in wanted_topics(self.prefix, partitions=PARTITIONS, replicas=1)
            if topic.name.removeprefix(self.prefix) in TOPICS
        ]
        async with open_topics(self.bootstrap) as topics:
            await topics.carry_out(plan_topics(wanted, []))

    async def append(self, events: Sequence[Envelope]) -> None:
        """Write events of one workspace into the logs of their owners."""
        for log in {log_of(event.topic) for event in events}:
            told = [event for event in events if log_of(event.topic) == log]
            async with (await self.postgres.database(log)).transaction(told[0].workspace) as tx:
                await PostgresEventLog(log, sealer_over(self.auth.keyring)).append(tx, told)

    async def send_all(self, *, times: int) -> None:
        """Send every event of the logs, so many times over: at least once is what a relay promises."""
        rows = await self._rows()
        async with AIOKafkaProducer(bootstrap_servers=self.bootstrap, acks="all") as producer:
            for row in rows * times:
                message, position = message_of(row), row.raw.position
                await producer.send_and_wait(
                    self.prefix + position.topic,
                    message.value,
                    key=message.key,
                    partition=partition_of(position.bucket, PARTITIONS),
                    headers=list(message.headers),
                )

    async def _rows(self) -> list[LogRow]:
        admin = await self.postgres.admin()
        found = [(log, row) for log in map(log_of, TOPICS) for row in await admin.fetch(_ROWS.format(log=log))]
        return [
            LogRow(
                RawDelivery(
                    Position(log, row["topic"], row["bucket"], row["sequence"]),
                    row["workspace"],
                    row["event_id"],
                    row["sealed"],
                ),
                row["event_type"],
                row["occurred_at"],
                row["record_key"],
                row["previous"],
            )
            for log, row in found
        ]


@asynccontextmanager
async def auth_listening() -> AsyncIterator[tuple[AuthService, str]]:
    """Auth over memory, listening."""
    bound = bound_socket()
    url, clock = f"http://127.0.0.1:{port_of(bound)}", SystemClock()
    database, store = MemoryDatabase(), MemoryAuthStore()
    auth = build_auth(url, clock=clock, clients={}, log=MemoryEventLog("auth"), database=database, store=store)
    auth.open_to_services({}, clock)
    async with serving(auth.app, bound):
        yield auth, url
    await auth.aclose()
