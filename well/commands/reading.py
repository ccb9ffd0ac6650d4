"""`well topics grant`, `take-back` and `tail`: who may read a workspace's events, and what stands in them."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer
from rich.console import Console
from rich.text import Text

from libs.contracts.envelope import Envelope
from libs.contracts.errors import Malformed, Rejected
from libs.contracts.topics import TOPICS, dead_letters_of
from libs.runtime.tls import authorities

if TYPE_CHECKING:
    from libs.auth_client.reader import GrantedReader
    from libs.bus.kafka.message import LogRow
    from services.auth.flow.reading import Reading

Grant = Annotated[str, typer.Option(envvar="WELL_GRANT", help="The right to open, as `well topics grant` printed it.")]


def grant(
    *,
    reader: Annotated[str, typer.Option(metavar="NAME", help="Who will read: a team, or a program.")],
    workspace: Annotated[UUID | None, typer.Option(metavar="ID", help="Whose; left out, this machine's one.")] = None,
) -> None:
    """Let a reader open the events of one workspace for 90 days, and print its grant: once, and it is a secret.

    Where services run apart, run it with the variables of auth.
    """

    async def run() -> str:
        async with _reading() as (reading, own):
            whose = workspace or own
            if whose is None:
                raise Rejected("Say whose events, with --workspace.", code="workspace_missing")
            return await reading.grant(whose, reader)

    typer.echo(asyncio.run(run()))


def take_back(grant: Grant) -> None:
    """End a grant. What its reader has seen it has seen."""

    async def run() -> None:
        async with _reading() as (reading, _):
            await reading.take_back(grant)

    asyncio.run(run())
    Console().print("[green]✓[/] This grant opens nothing any more.", highlight=False)


def tail(
    kafka: Annotated[str, typer.Option("--kafka", envvar="WELL_KAFKA", metavar="HOST:PORT,...", help="The brokers.")],
    grant: Grant,
    auth: Annotated[str, typer.Option(envvar="WELL_AUTH_URL", metavar="URL", help="Where auth listens.")],
    *,
    workspace: Annotated[UUID, typer.Option(metavar="ID", help="Whose events.")],
    topic: Annotated[list[str] | None, typer.Option(help="One topic, or more of them; left out, all.")] = None,
    prefix: Annotated[
        str, typer.Option(envvar="WELL_TOPIC_PREFIX", help="What the names of our topics begin with.")
    ] = "",
    from_start: Annotated[bool, typer.Option("--from-start", help="Begin with the oldest event.")] = False,
    once: Annotated[bool, typer.Option("--once", help="Stop at the end instead of waiting for more.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One event a line, whole.")] = False,
) -> None:
    """What the topics say of a workspace, opened and in words, as it comes."""
    known = {name for each in TOPICS for name in (each.name, dead_letters_of(each.name))}
    wanted = topic or [each.name for each in TOPICS]
    for name in wanted:
        if name not in known:
            raise Rejected(f"There is no topic {name}; `well topics list` shows them.", code="no_such_topic")

    async def run() -> None:
        import httpx

        from libs.auth_client.reader import GrantedReader
        from libs.bus.kafka.tail import tailed

        shown, complaints = Console(highlight=False), Console(stderr=True, highlight=False)
        async with httpx.AsyncClient(verify=authorities()) as http:
            reader = GrantedReader(grant, auth, http)
            if (await reader.opening()).workspace != workspace:
                raise Rejected("This grant is for another workspace.", code="reading_grant")
            partitions = await _partitions(kafka, [prefix + name for name in wanted])
            async for told in tailed(kafka, partitions, prefix=prefix, from_start=from_start, follow=not once):
                try:
                    event = await _opened(told, workspace, reader)
                except Malformed as error:
                    complaints.print(error.sentence, style="red", markup=False)
                    continue
                if event is not None and as_json:
                    typer.echo(event.model_dump_json())
                elif event is not None:
                    shown.print(line_of(event), soft_wrap=True)

    asyncio.run(run())


async def _opened(told: LogRow | Malformed, workspace: UUID, reader: GrantedReader) -> Envelope | None:
    """The event, if it is of this workspace; its error, if it is none that can be read."""
    if isinstance(told, Malformed):
        raise told
    return await reader.open(told.raw) if told.raw.workspace == workspace else None


def line_of(event: Envelope) -> Text:
    """An event as a person reads it: when, about what, and what happened."""
    from services.audit.domain.words import sentence_of

    return Text.assemble(
        (f"{event.occurred_at:%Y-%m-%d %H:%M:%S}", "dim"),
        "  ",
        (event.payload.type, "bold"),
        "  ",
        (event.record, "cyan"),
        "  ",
        sentence_of(event),
    )


async def _partitions(kafka: str, topics: Sequence[str]) -> dict[str, int]:
    from libs.bus.kafka.topics import open_topics

    async with open_topics(kafka) as cluster:
        standing = {topic.name: topic.partitions for topic in await cluster.standing()}
    missing = [name for name in topics if name not in standing]
    if missing:
        sentence = f"The cluster has no topic {missing[0]}; `well topics plan` shows what is missing."
        raise Rejected(sentence, code="no_such_topic")
    return {name: standing[name] for name in topics}


@asynccontextmanager
async def _reading() -> AsyncIterator[tuple[Reading, UUID | None]]:
    """The grants, and the workspace that is meant when none is named.

    With the variables of auth, those of services that run apart; else those of this machine's installation.
    """
    from libs.runtime.clock import SystemClock

    clock = SystemClock()
    if os.environ.get("WELL_KEY_FILE"):
        from well.apart import apart_from
        from well.process import auth_beside

        async with auth_beside(apart_from("auth", os.environ), clock) as auth:
            yield auth.reading, None
        return

    from services.auth.adapters.postgres import PostgresAuthStore
    from services.auth.flow.reading import Reading
    from services.auth.flow.tickets import Tickets
    from well.home import current
    from well.storage import opened_storage
    from well.whose import own_workspace

    installation = current()
    async with opened_storage(installation, clock, database_url=installation.database_url) as storage:
        store = PostgresAuthStore(storage.sealers.tokens)
        tickets = Tickets(database=storage.databases["auth"], store=store, clock=clock)
        yield Reading(tickets=tickets, keyring=storage.keyring), await own_workspace(installation, storage)
