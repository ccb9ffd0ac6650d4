"""The topics, read by Faust, with the lines of records in a Faust table.

What Faust promises and what not, as of 0.15.3, and what is done about it:

- It acknowledges a message whose handler raised. Here only what was taken or parked is acknowledged, and an error of
  any other kind ends the process with its message unacknowledged.
- With `concurrency` above 1 it can commit past a message that is not finished: it is 1.
  Source: https://github.com/faust-streaming/faust/issues/606; `tests/contract/insights/test_offset_skip.py` shows it.
- The table and the positions are not kept together: after a kill messages come again, and a line holds each once.
- A table whose types are left out and that is given bytes never ends its recovery: types are always named.
- It does not stop while a message is unacknowledged: it is told not to wait, and the message comes again.
- It waits for ever for a topic that is not there: whoever starts this looks first.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import faust
import structlog
from aiokafka.errors import KafkaError
from faust.types import TP

from libs.bus.dealing import FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS, TRANSIENT_TRIES
from libs.bus.kafka.member import REBALANCE_SECONDS, SESSION_SECONDS
from libs.bus.kafka.message import Message
from libs.contracts.errors import Malformed, Transient
from libs.runtime.clock import Clock
from libs.runtime.standing import GroupStanding
from services.insights.adapters.packed_lines import PackedLines
from services.insights.ports import Hears

LOOK_SECONDS: Final = 1.0
"""Seconds between two looks at how far the group is."""

STOP_SECONDS: Final = 10.0
"""Seconds that Faust may take to stop; it takes about one. What it leaves is read again."""

PARKED_MAX: Final = 100
"""Messages parked since the start. Beyond it the fault is ours, not theirs, and stopping keeps the rest whole."""

DEAD_SECONDS: Final = 120.0
"""Seconds without a message taken, while some are left and nothing says why: Faust's fetching got stuck, and only a new
start helps. A member that joins or leaves stops the group for less than 30."""


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
        self._dead_letters = cluster.prefix + dead_letters
        self._hears = hears
        self._clock = clock
        self._failures = 0
        self._parked = 0
        self._sentence: str | None = None
        self._lag = 0
        self._next: dict[TP, int] = {}
        self._got_somewhere = clock.now()
        self._taking: asyncio.Task[None] | None = None
        self._logger = structlog.get_logger().bind(group=cluster.group)

    @property
    def standing(self) -> GroupStanding:
        """How it stands. `lag` counts messages, wanted or not, when it last looked."""
        return GroupStanding(self._cluster.group, self._failures, self._lag, self._parked, self._sentence)

    @property
    def dead(self) -> str | None:
        """Why only a new start helps; None while it lives."""
        still_seconds = (self._clock.now() - self._got_somewhere).total_seconds()
        if not self._lag or self._failures or still_seconds < DEAD_SECONDS:
            return None
        return f"There are messages, and none was taken for {still_seconds:.0f} seconds."

    async def run(self, stop: asyncio.Event) -> None:
        """Read until `stop` is set.

        Raises:
            Transient: Kafka was lost, or a message could not be taken for too long.
            Malformed: `too_many_parked`.
        """
        with TemporaryDirectory(prefix="well-insights-") as folder:
            app = self._app(Path(folder))
            starting = asyncio.create_task(app.start())
            try:
                while not stop.is_set():
                    with suppress(TimeoutError):
                        async with asyncio.timeout(LOOK_SECONDS):
                            await stop.wait()
                    await self._look(app, starting)
            except KafkaError as error:
                raise Transient(f"Kafka could not be read: {type(error).__name__}.") from error
            finally:
                await _stopped(app, starting)

    async def _look(self, app: faust.App, starting: asyncio.Task[None]) -> None:
        """See whether it goes on, and how far it is.

        Raises:
            WellError: Of any kind, or KafkaError: it does not.
        """
        if self._taking is not None and self._taking.done():
            if self._taking.cancelled():
                raise Transient("What a message waited for was given up; it is read again after a new start.")
            self._taking.result()
        if app.crashed:
            raise Transient("Faust gave up.") from app.crash_reason
        if not starting.done():
            return
        starting.result()
        consumer: Any = app.consumer
        ours = {tp for tp in consumer.assignment() if tp.topic in self._names}
        ends = await consumer.highwaters(*ours)
        begun = consumer._committed_offset  # noqa: SLF001 where it began, it tells nobody in another way
        self._next = {tp: offset for tp, offset in self._next.items() if tp in ours}
        self._lag = sum(max(0, end - self._next.get(tp, begun[tp] or 0)) for tp, end in ends.items())
        self.reads_all = len(ours) == len(self._names) * self._cluster.partitions
        if not self._lag:
            self._got_somewhere = self._clock.now()

    def _app(self, folder: Path) -> faust.App:
        cluster = self._cluster
        app = faust.App(
            f"{cluster.prefix}{cluster.group}",
            broker=[f"kafka://{address}" for address in cluster.bootstrap.split(",")],
            datadir=folder,
            store="memory://",
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
        table = app.Table(
            "lines",
            key_type=bytes,
            value_type=bytes,
            partitions=cluster.partitions,
            extra_topic_configs={"min.insync.replicas": max(1, cluster.replicas - 1)},
        )

        async def recovered() -> None:
            await self._hears.begin(PackedLines(table))

        async def read(stream: Any) -> None:  # noqa: ANN401 Faust's streams have no useful type
            async for event in stream.noack().events():
                if not await self._is_taken(app, event.message):
                    await asyncio.Event().wait()  # Faust would go on behind the message
                event.ack()

        table.on_recover(recovered)
        topics = app.topic(*sorted(self._names), key_type=bytes, value_type=bytes)
        app.agent(topics, name="read", concurrency=1)(read)
        return app

    async def _is_taken(self, app: faust.App, came: Any) -> bool:  # noqa: ANN401 a message as Faust has it
        """Take a message in a task of its own. What that raises ends `run`, which looks at it."""
        taking = self._taking = asyncio.create_task(self._take(app, came))
        try:
            await asyncio.wait([taking])
        except asyncio.CancelledError:
            self._taking = None  # Faust stops, or begins again after others came or went
            taking.cancel()
            raise
        return not taking.cancelled() and taking.exception() is None

    async def _take(self, app: faust.App, came: Any) -> None:  # noqa: ANN401 as above
        topic = came.topic.removeprefix(self._cluster.prefix)
        message = Message(came.key, came.value, tuple(came.headers or ()))
        while True:
            try:
                await self._hears.take(topic, message)
            except Transient as error:
                await self._pause_after(error)
            except Malformed as error:
                await self._park(app, came, message, error)
                break
            else:
                break
        if self._failures:
            self._failures, self._sentence = 0, None
        self._next[came.tp] = came.offset + 1
        self._got_somewhere = self._clock.now()

    async def _pause_after(self, error: Transient) -> None:
        self._failures += 1
        self._sentence = error.sentence
        if self._failures >= TRANSIENT_TRIES:
            raise Transient(f"{self._cluster.group} failed {self._failures} times in a row.") from error
        await self._clock.sleep(min(FIRST_PAUSE_SECONDS * 2 ** (self._failures - 1), LONGEST_PAUSE_SECONDS))

    async def _park(self, app: faust.App, came: Any, message: Message, error: Malformed) -> None:  # noqa: ANN401 as above
        """Send it, as it came, to where such messages lie, with where it was and what is wrong with it."""
        if self._parked >= PARKED_MAX:
            sentence = f"{self._cluster.group} has parked {self._parked} messages since it started."
            raise Malformed(sentence, code="too_many_parked") from error
        said = {
            "insights_from": f"{came.topic}/{came.partition}/{came.offset}",
            "insights_code": error.code,
            "insights_why": error.sentence,
        }
        headers = [(name, value) for name, value in message.headers if value is not None]
        headers += [(name, text.encode()) for name, text in said.items()]
        await app.producer.send_and_wait(self._dead_letters, message.key, message.value, None, None, headers)
        self._parked += 1
        self._logger.error("insights.parked", at=said["insights_from"], code=error.code, why=error.sentence)


async def _stopped(app: faust.App, starting: asyncio.Task[None]) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(STOP_SECONDS):
            await app.stop()
    starting.cancel()
    await asyncio.wait([starting])
