"""`well topics`: the topics of a Kafka cluster, made from the registry."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Annotated

import typer
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from libs.bus.kafka.topic_plan import (
    DAY_MILLISECONDS,
    PARTITIONS,
    REPLICAS,
    Change,
    StandingTopic,
    TopicPlan,
    WantedTopic,
    plan_topics,
    wanted_topics,
)
from libs.contracts.errors import Rejected
from libs.contracts.topics import TOPICS, dead_letters_of
from well.commands import reading, replaying

app = typer.Typer(help="The topics of a Kafka cluster.", no_args_is_help=True)
app.command("grant")(reading.grant)
app.command("take-back")(reading.take_back)
app.command("tail")(reading.tail)
app.command("replay")(replaying.replay)

Cluster = Annotated[
    str, typer.Option("--kafka", envvar="WELL_KAFKA", metavar="HOST:PORT,...", help="Brokers of the cluster.")
]
Prefix = Annotated[str, typer.Option(envvar="WELL_TOPIC_PREFIX", help="What the names of our topics begin with.")]
Partitions = Annotated[int, typer.Option(help="Partitions of each topic, 1 to 64.")]
Replicas = Annotated[int, typer.Option(help="Copies of each partition; no more than there are brokers.")]
Drained = Annotated[bool, typer.Option("--drained", help="The relays stand still and every group has read to the end.")]


@app.command("list")
def list_(
    kafka: Cluster,
    *,
    prefix: Prefix = "",
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a topic and line.")] = False,
) -> None:
    """Every topic of the registry, who writes and reads it, and how it stands on the cluster."""
    standing = {topic.name: topic for topic in asyncio.run(_standing(kafka, prefix))}
    if as_json:
        for row in _rows(prefix, standing):
            typer.echo(json.dumps(row))
        return
    Console().print(_topics(prefix, standing))


@app.command()
def plan(
    kafka: Cluster,
    *,
    prefix: Prefix = "",
    partitions: Partitions = PARTITIONS,
    replicas: Replicas = REPLICAS,
    drained: Drained = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """What `apply` would do. Nothing is changed."""
    wanted = wanted_topics(prefix, partitions=partitions, replicas=replicas)
    made = plan_topics(wanted, asyncio.run(_standing(kafka, prefix)), prefix=prefix, drained=drained)
    if as_json:
        typer.echo(json.dumps(asdict(made)))
        return
    Console().print(plan_shown(made))


@app.command()
def apply(
    kafka: Cluster,
    *,
    prefix: Prefix = "",
    partitions: Partitions = PARTITIONS,
    replicas: Replicas = REPLICAS,
    drained: Drained = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object: what was done. Wants --yes.")] = False,
) -> None:
    """Show what would change, ask, and do it. Topics that are not in the registry are left alone."""
    if as_json and not yes:
        raise Rejected("With --json nobody can be asked; say --yes as well.", code="yes_is_missing")
    wanted = wanted_topics(prefix, partitions=partitions, replicas=replicas)
    made = plan_topics(wanted, asyncio.run(_standing(kafka, prefix)), prefix=prefix, drained=drained)
    if not as_json:
        Console().print(plan_shown(made))
    if not made.is_empty:
        if not yes:
            typer.confirm("Do it?", abort=True)
        asyncio.run(_carry_out(kafka, made))
    if as_json:
        typer.echo(json.dumps(asdict(made)))
    elif not made.is_empty:
        Console().print("[green]✓[/] Done.", highlight=False)


async def _standing(kafka: str, prefix: str) -> list[StandingTopic]:
    from libs.bus.kafka.topics import open_topics

    async with open_topics(kafka) as topics:
        return await topics.standing(prefix)


async def _carry_out(kafka: str, made: TopicPlan) -> None:
    from libs.bus.kafka.topics import open_topics

    async with open_topics(kafka) as topics:
        await topics.carry_out(made)


def _rows(prefix: str, standing: dict[str, StandingTopic]) -> list[dict[str, object]]:
    """Each topic of the registry with its dead letters and what the cluster has of it."""
    return [
        {
            "topic": prefix + name,
            "types": types,
            "owner": owner,
            "readers": readers,
            "partitions": stands.partitions if stands else None,
            "replicas": stands.replicas if stands else None,
            "retention_ms": int(stands.settings["retention.ms"]) if stands else None,
        }
        for topic in TOPICS
        for name, types, owner, readers in (
            (topic.name, topic.types, topic.owner, topic.readers),
            (dead_letters_of(topic.name), ("Parked",), None, ()),
        )
        for stands in [standing.get(prefix + name)]
    ]


def _topics(prefix: str, standing: dict[str, StandingTopic]) -> RenderableType:
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    table.add_column("topic", no_wrap=True, style="bold")
    table.add_column("from", no_wrap=True)
    table.add_column("to", ratio=1)
    table.add_column("partitions", no_wrap=True, justify="right")
    table.add_column("kept", no_wrap=True, justify="right")
    for topic in TOPICS:
        for name, owner, readers in (
            (topic.name, topic.owner, ", ".join(topic.readers)),
            (dead_letters_of(topic.name), "", ""),
        ):
            stands = standing.get(prefix + name)
            if stands is None:
                table.add_row(prefix + name, owner, readers, "[yellow]missing[/]", "")
            else:
                table.add_row(prefix + name, owner, readers, str(stands.partitions), _days(stands.settings))
    return table


def plan_shown(made: TopicPlan) -> RenderableType:
    """A plan as a person reads it before saying yes."""
    blocks: list[RenderableType] = []
    if made.create:
        blocks += [Text(f"To be made ({len(made.create)})", style="green"), _indented(_creations(made.create))]
    if made.change:
        blocks += [Text(f"To be changed ({len(made.change)})", style="yellow"), _indented(_changes(made.change))]
    if made.refused:
        blocks.append(Text(f"Left as it is ({len(made.refused)})", style="red"))
        blocks += [_indented(shown) for why in _reasons(made) for shown in (_refused(made, why), Text(why))]
    if made.unknown:
        said = f"Not in the registry, left alone: {', '.join(made.unknown)}"
        blocks.append(Text(said, style="dim"))
    if made.is_empty and not made.refused:
        blocks.append(Text(f"All {len(made.kept)} topics stand as the registry says.", style="green"))
    return Group(*blocks)


def _indented(shown: RenderableType) -> RenderableType:
    return Padding(shown, (0, 0, 1, 2))


def _creations(create: Sequence[WantedTopic]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    table.add_column("topic", no_wrap=True, style="bold")
    table.add_column("partitions", no_wrap=True, justify="right")
    table.add_column("replicas", no_wrap=True, justify="right")
    table.add_column("kept", no_wrap=True, justify="right")
    for topic in create:
        table.add_row(topic.name, str(topic.partitions), str(topic.replicas), _days(topic.settings))
    return table


def _reasons(made: TopicPlan) -> list[str]:
    return list(dict.fromkeys(refusal.why for refusal in made.refused))


def _refused(made: TopicPlan, why: str) -> Table:
    return _changes([refusal.change for refusal in made.refused if refusal.why == why])


def _changes(changes: Sequence[Change]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    table.add_column("topic", no_wrap=True, style="bold")
    table.add_column("what", no_wrap=True)
    table.add_column("now", no_wrap=True, justify="right")
    table.add_column("then", no_wrap=True, justify="right")
    for change in changes:
        table.add_row(change.topic, change.what, change.now, change.then)
    return table


def _days(settings: Mapping[str, str]) -> str:
    if settings.get("cleanup.policy") == "compact":
        return "the last of each record"
    milliseconds = int(settings["retention.ms"])
    if milliseconds < 0:
        return "for ever"
    return f"{milliseconds / DAY_MILLISECONDS:,.4g} days"
