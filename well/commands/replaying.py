"""`well topics replay`: has a topic's events sent again from the log, which keeps them for good."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Final

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn
from rich.table import Table

from libs.contracts.errors import Rejected, Transient
from libs.contracts.identity import BUCKETS
from libs.contracts.topics import BY_NAME, log_of

if TYPE_CHECKING:
    from libs.bus.kafka.replay import Again, Replay

LOOK_SECONDS: Final = 0.5
"""Seconds between two looks at how far the relay is. A look reads at most 64 rows."""

STILL_SECONDS: Final = 60.0
"""Seconds without progress after which nobody waits any longer: the relay outlasts a broker's restart of 40."""


@dataclass(frozen=True)
class _Planned:
    """What would be sent again, and how it lies on the cluster."""

    topic: str
    owner: str
    partitions: int
    again: Sequence[Again]

    @property
    def events(self) -> int:
        return sum(each.events for each in self.again)

    def by_partition(self) -> Mapping[int, tuple[int, datetime]]:
        """By partition, how many events, and when the earliest occurred."""
        from libs.bus.kafka.message import partition_of

        found: dict[int, tuple[int, datetime]] = {}
        for each in self.again:
            partition = partition_of(each.bucket, self.partitions)
            events, since = found.get(partition, (0, each.since))
            found[partition] = (events + each.events, min(since, each.since))
        return dict(sorted(found.items()))


def replay(
    topic: Annotated[str, typer.Argument(metavar="TOPIC", help="By its name in the registry, without a prefix.")],
    kafka: Annotated[str, typer.Option("--kafka", envvar="WELL_KAFKA", metavar="HOST:PORT,...", help="The brokers.")],
    *,
    prefix: Annotated[
        str, typer.Option(envvar="WELL_TOPIC_PREFIX", help="What the names of our topics begin with.")
    ] = "",
    partition: Annotated[int | None, typer.Option(help="This one alone; left out, all.")] = None,
    since: Annotated[
        datetime | None, typer.Option(help="From the first event on that occurred then or later, UTC; left out, all.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object, at once. Wants --yes.")] = False,
) -> None:
    """Send a topic's events again, as they are in the log: show how many, ask, and wait until it is done.

    For readers of whom Kafka has lost events, and for those who want a topic from its beginning that it no longer has.
    Run it beside the service that owns the topic, with its variables. Who has dealt with an event drops it.
    """
    if as_json and not yes:
        raise Rejected("With --json nobody can be asked; say --yes as well.", code="yes_is_missing")
    if topic not in BY_NAME:
        raise Rejected(f"There is no topic {topic}; `well topics list` shows them.", code="no_such_topic")

    async def run() -> None:
        async with _replay(topic) as sending:
            count = await _partitions(kafka, prefix + topic)
            planned = _Planned(topic, log_of(topic), count, await sending.plan(_buckets(partition, count), _utc(since)))
            shown = Console(highlight=False)
            if not as_json:
                _show(shown, planned)
            if planned.again:
                if not yes:
                    typer.confirm("Send them again?", abort=True)
                await sending.ask(planned.again)
            if as_json:
                typer.echo(json.dumps(await _told(sending, planned)))
            elif planned.again:
                await _wait(shown, sending, planned)

    try:
        asyncio.run(run())
    except KeyboardInterrupt:
        Console(stderr=True).print("What was asked for is sent all the same; nobody need wait for it.")


def _utc(instant: datetime | None) -> datetime | None:
    return instant.replace(tzinfo=UTC) if instant is not None and instant.tzinfo is None else instant


def _buckets(partition: int | None, partitions: int) -> list[int]:
    from libs.bus.kafka.message import partition_of

    if partition is not None and not 0 <= partition < partitions:
        raise Rejected(f"The topic has partitions 0 to {partitions - 1}.", code="no_such_partition")
    return [bucket for bucket in range(BUCKETS) if partition in (None, partition_of(bucket, partitions))]


def _show(shown: Console, planned: _Planned) -> None:
    if not planned.again:
        shown.print(f"There is nothing of {planned.topic} to send again.")
        return
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    table.add_column("partition", justify="right")
    table.add_column("events", justify="right")
    table.add_column("since (UTC)", no_wrap=True)
    for number, (events, instant) in planned.by_partition().items():
        table.add_row(str(number), f"{events:,}", f"{instant.astimezone(UTC):%Y-%m-%d %H:%M:%S}")
    table.add_row("[bold]all[/]", f"[bold]{planned.events:,}[/]", "")
    shown.print(f"Of [bold]{planned.topic}[/], from the log of {planned.owner}, would be sent again:")
    shown.print(table)
    shown.print(
        "They come behind what the topic has, the same as the first time. Readers drop what they have dealt with; "
        "a group that stopped because Kafka had lost events goes on when it is started again."
    )


async def _told(sending: Replay, planned: _Planned) -> dict[str, object]:
    return {
        "topic": planned.topic,
        "events": planned.events,
        "partitions": {str(number): events for number, (events, _) in planned.by_partition().items()},
        "relay_runs": await sending.is_relayed(),
    }


async def _wait(shown: Console, sending: Replay, planned: _Planned) -> None:
    """Show how far the relay is until it is through.

    Raises:
        Transient: It stands still.
    """
    if not await sending.is_relayed():
        shown.print(
            f"[yellow]●[/] Asked for. No process relays the log of {planned.owner} now; "
            f"they are sent as soon as {planned.owner} runs with WELL_KAFKA."
        )
        return
    from libs.runtime.clock import SystemClock

    clock, left = SystemClock(), await sending.left()
    whole, moved_at = max(1, left.places), clock.now()
    columns = (TextColumn(f"The relay of {planned.owner} sends them"), BarColumn(), TaskProgressColumn())
    with Progress(*columns, console=shown, transient=True) as progress:
        bar = progress.add_task("", total=whole)
        while left.buckets:
            await clock.sleep(LOOK_SECONDS)
            before, left = left, await sending.left()
            if left != before:
                moved_at = clock.now()
            elif (clock.now() - moved_at).total_seconds() > STILL_SECONDS:
                raise Transient(
                    f"The relay of {planned.owner} has sent nothing for {STILL_SECONDS:.0f} s; its /status says why. "
                    "What is left is sent as soon as it goes on."
                )
            progress.update(bar, completed=whole - min(whole, left.places))
    shown.print(f"[green]✓[/] All of it is on the topic again: {planned.events:,} events.")


async def _partitions(kafka: str, topic: str) -> int:
    from libs.bus.kafka.topics import open_topics

    async with open_topics(kafka) as cluster:
        for standing in await cluster.standing(topic):
            if standing.name == topic:
                return standing.partitions
    raise Rejected(f"The cluster has no topic {topic}; `well topics apply` makes it.", code="no_such_topic")


@asynccontextmanager
async def _replay(topic: str) -> AsyncIterator[Replay]:
    from libs.bus.kafka.replay import Replay
    from well.storage import carrying_for

    owner = log_of(topic)
    async with carrying_for(owner, os.environ) as pool:
        yield Replay(topic, owner, pool)
