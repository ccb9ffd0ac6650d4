"""The topics, read by Faust, with the lines of records in a Faust table.

What Faust promises and what not, as of 0.15.3, and what is done about it:

- It acknowledges a message whose handler raised. Here only what was taken or parked is acknowledged, and an error of
  any other kind ends the process with its message unacknowledged.
- With `concurrency` above 1 it can commit past a message that is not finished: it is 1.
  Source: https://github.com/faust-streaming/faust/issues/606; `tests/contract/insights/test_offset_skip.py` shows it.
- The table and the positions are not kept together: after a kill messages come again, and a line holds each once.
- A table whose types are left out and that is given bytes never ends its recovery: types are always named.
- After a start that found lines in its table it reads messages while it still asks where to begin, and then empties the
  queue in which they wait: they were never seen. So nothing flows until it has its answer, and a message that is not
  the next of its partition ends the process. `tests/contract/insights/test_slow_kafka.py` shows it.
- It commits whatever becomes of the table's changes: see `faust_keeping.py`.
- Its fetching gets stuck at times: `DEAD_SECONDS` without any progress end the process.
- It does not stop while a message is unacknowledged: it is told not to wait, and the message comes again.
- It waits for ever for a topic that is not there: whoever starts this looks first.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, cast

import faust
from aiokafka.errors import KafkaError

from libs.bus.kafka.member import REBALANCE_SECONDS, SESSION_SECONDS
from libs.contracts.errors import Transient
from libs.runtime.clock import Clock
from libs.runtime.standing import GroupStanding
from services.insights.adapters.faust_keeping import Acknowledging, KeptTable
from services.insights.adapters.faust_places import Places
from services.insights.adapters.faust_taking import Taking
from services.insights.adapters.packed_lines import PackedLines
from services.insights.ports import Hears

LOOK_SECONDS: Final = 1.0
"""Seconds between two looks at how far the group is."""

STOP_SECONDS: Final = 10.0
"""Seconds that Faust may take to stop; it takes about one. What it leaves is read again."""

DEAD_SECONDS: Final = 120.0
"""Seconds in which no message was taken and no line read, while some are left and nothing says why. A member that joins
or leaves stops the group for less than 30."""


@dataclass(frozen=True)
class Cluster:
    """Where the topics are.

    Attributes:
        bootstrap: Brokers, `host:port` with commas between.
        prefix: What our topics and groups begin with there.
        group: The group, and what its table is named by, without the prefix.
        partitions: Partitions of each topic, and of the table.
        replicas: Copies of each.
    """

    bootstrap: str
    prefix: str
    group: str
    partitions: int
    replicas: int


class FaustReading:
    """Reads topics from their beginning on and hands each message over, until it is told to stop.

    Args:
        cluster: Where.
        topics: Which, in the registry's words.
        dead_letters: Where messages go that are no events of ours.
        hears: What takes them.
        clock: For pauses, and for saying whether it lives.

    Attributes:
        reads_all: Whether every partition is its own; else another process has the rest, or nobody yet.
    """

    def __init__(
        self, cluster: Cluster, *, topics: tuple[str, ...], dead_letters: str, hears: Hears, clock: Clock
    ) -> None:
        self.reads_all = False
        self._cluster = cluster
        self._names = frozenset(cluster.prefix + topic for topic in topics)
        self._hears = hears
        self._clock = clock
        self._taking = Taking(cluster.group, cluster.prefix, dead_letters=dead_letters, hears=hears, clock=clock)
        self._in_hand: asyncio.Task[None] | None = None
        self._acknowledging = Acknowledging()
        self._places = Places()
        self._left: int | None = None
        self._lines = 0
        self._got_somewhere = clock.now()

    @property
    def standing(self) -> GroupStanding:
        """How it stands. `lag` counts messages, wanted or not, when it last looked."""
        taking = self._taking
        return GroupStanding(self._cluster.group, taking.failures, self._left or 0, taking.parked, taking.sentence)

    @property
    def dead(self) -> str | None:
        """Why only a new start helps; None while it lives."""
        still_seconds = (self._clock.now() - self._got_somewhere).total_seconds()
        if self._left == 0 or self._taking.failures or still_seconds < DEAD_SECONDS:
            return None
        return f"There are messages, and none was taken for {still_seconds:.0f} seconds."

    async def run(self, stop: asyncio.Event) -> None:
        """Read until `stop` is set.

        Raises:
            Transient: Kafka was lost, a message could not be taken for too long, or Faust let one fall or got stuck.
            Malformed: `too_many_parked`.
        """
        with TemporaryDirectory(prefix="well-insights-") as folder:
            app = self._app(Path(folder))
            table = self._read_with(app)
            starting = asyncio.create_task(app.start())
            try:
                while not stop.is_set():
                    with suppress(TimeoutError):
                        async with asyncio.timeout(LOOK_SECONDS):
                            await stop.wait()
                    await self._look(app, len(table), starting)
            except KafkaError as error:
                raise Transient(f"Kafka could not be read: {type(error).__name__}.") from error
            finally:
                await _stopped(app, starting)

    async def _look(self, app: faust.App, lines: int, starting: asyncio.Task[None]) -> None:
        """See whether it goes on, and how far it is.

        Raises:
            WellError: Of any kind, or KafkaError: it does not.
        """
        if self._in_hand is not None and self._in_hand.done():
            if self._in_hand.cancelled():
                raise Transient("What a message waited for was given up; it is read again after a new start.")
            self._in_hand.result()
        self._acknowledging.check()
        if app.crashed:
            raise Transient("Faust gave up.") from app.crash_reason
        if starting.done():
            starting.result()
            await self._measure(app.consumer)
        if self._left == 0 or lines != self._lines:
            self._got_somewhere, self._lines = self._clock.now(), lines
        if self.dead is not None:
            raise Transient(self.dead)

    async def _measure(self, consumer: Any) -> None:  # noqa: ANN401 as Faust has it
        ours = {tp for tp in consumer.assignment() if tp.topic in self._names}
        self._left = await self._places.left(consumer, ours)
        self.reads_all = len(ours) == len(self._names) * self._cluster.partitions

    def _app(self, folder: Path) -> faust.App:
        cluster = self._cluster
        return faust.App(
            f"{cluster.prefix}{cluster.group}",
            broker=[f"kafka://{address}" for address in cluster.bootstrap.split(",")],
            datadir=folder,
            store="memory://",
            Table=KeptTable,
            key_serializer="raw",
            value_serializer="raw",
            consumer_auto_offset_reset="earliest",
            broker_session_timeout=SESSION_SECONDS,
            broker_heartbeat_interval=SESSION_SECONDS / 4,
            broker_rebalance_timeout=REBALANCE_SECONDS,
            topic_replication_factor=cluster.replicas,
            topic_disable_leader=True,
            web_enabled=False,
            stream_wait_empty=False,
        )

    def _read_with(self, app: faust.App) -> KeptTable:
        cluster = self._cluster
        made = app.Table(
            "lines",
            key_type=bytes,
            value_type=bytes,
            partitions=cluster.partitions,
            extra_topic_configs={"min.insync.replicas": max(1, cluster.replicas - 1)},
        )
        table = cast("KeptTable", made)

        async def recovered() -> None:
            app.consumer.stop_flow()  # until Faust has found its places; it lets it flow again itself
            self._places.begin()
            await self._hears.begin(PackedLines(table))

        async def read(stream: Any) -> None:  # noqa: ANN401 Faust's streams have no useful type
            async for event in stream.noack().events():
                if not await self._is_taken(app, event.message):
                    await asyncio.Event().wait()  # Faust would go on behind the message
                await self._acknowledging.add(event, table.sent())

        table.on_recover(recovered)
        topics = app.topic(*sorted(self._names), key_type=bytes, value_type=bytes)
        app.agent(topics, name="read", concurrency=1)(read)
        return table

    async def _is_taken(self, app: faust.App, came: Any) -> bool:  # noqa: ANN401 a message as Faust has it
        """Take a message in a task of its own. What that raises ends `run`, which looks at it."""
        taking = self._in_hand = asyncio.create_task(self._take(app, came))
        try:
            await asyncio.wait([taking])
        except asyncio.CancelledError:
            self._in_hand = None  # Faust stops, or begins again after others came or went
            taking.cancel()
            raise
        return not taking.cancelled() and taking.exception() is None

    async def _take(self, app: faust.App, came: Any) -> None:  # noqa: ANN401 as above
        await self._places.expect(app.consumer, came)
        await self._taking.take(app.producer, came)
        self._places.taken(came)
        self._got_somewhere = self._clock.now()


async def _stopped(app: faust.App, starting: asyncio.Task[None]) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(STOP_SECONDS):
            await app.stop()
    starting.cancel()
    await asyncio.wait([starting])
