"""`well connections`: what is connected, and the way to take it back."""

from __future__ import annotations

import asyncio
import json
from typing import Annotated, Any, Final, Literal
from uuid import UUID

import httpx
import typer
from rich.console import Console
from rich.text import Text

from libs.contracts.errors import Rejected, Transient
from libs.runtime.clock import SystemClock
from libs.runtime.tls import authorities
from services.auth.domain.connection import TITLES, Connection
from services.auth.domain.plain_words import plain_words
from well.called import called
from well.commands.connection_screens import listed
from well.home import current

app = typer.Typer(help="What is connected, and the way to take it back.", no_args_is_help=True)

Workspace = Annotated[UUID | None, typer.Option(metavar="ID", help="Whose; left out, this machine's one.")]

REVOKE_SECONDS: Final = 60.0
"""Seconds for a disconnection: a new token, and up to four calls of the provider."""

_JSON: Final = {"Accept": "application/json"}


@app.command("list")
def list_(
    *,
    workspace: Workspace = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """What Well may do where, in plain words, and what to do about what does not work."""
    connections, read = asyncio.run(_listed(workspace))
    if not as_json:
        Console(highlight=False).print(listed(connections, called(), read=read))
        return
    for connection in connections:
        typer.echo(json.dumps(_as_json(connection)))


@app.command()
def revoke(
    provider: Annotated[Literal["xero", "qonto"], typer.Argument(metavar="PROVIDER", help="What: xero or qonto.")],
    *,
    workspace: Workspace = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Take a consent back, at the provider and here. `well up` must be running, since it holds the app's secret."""
    title = TITLES[provider]
    connections, _ = asyncio.run(_listed(workspace))
    standing = next((each for each in connections if each.provider == provider), None)
    if standing is None or standing.state == "revoked":
        raise Rejected(f"{title} is not connected, so there is nothing to take back.", code="not_connected")
    url = asyncio.run(_url())  # before anybody is asked what could then not be done
    if not yes:
        named = f" ({standing.account.name})" if standing.account.name else ""
        typer.confirm(f"Well will do nothing at {title}{named} any more until you connect it again. Go on?", abort=True)
    asyncio.run(_revoked(url, provider, workspace))
    Console(highlight=False).print(Text.assemble(("✓", "green"), f" {title} is disconnected."))


async def _listed(workspace: UUID | None) -> tuple[list[Connection], bool]:
    """What is connected, and whether any program may read Xero."""
    from services.auth.adapters.postgres import PostgresAuthStore
    from services.auth.flow.listing import Listing
    from services.auth.flow.programs import Programs
    from well.storage import opened_storage
    from well.whose import known

    installation, clock = current(), SystemClock()
    async with opened_storage(installation, clock, database_url=installation.database_url) as storage:
        whose, database = await known(workspace, installation, storage), storage.databases["auth"]
        store = PostgresAuthStore(storage.sealers.tokens)
        programs = Programs(database=database, store=store, clock=clock)
        return await Listing(database=database, store=store).of(whose), bool(await programs.of(whose))


async def _url() -> str:
    from well.consent import url_of

    return await url_of(current())


async def _revoked(url: str, provider: str, workspace: UUID | None) -> None:
    """Signed in as a browser is, through the process that may speak to the provider."""
    from services.auth.adapters.postgres import PostgresAuthStore
    from services.auth.flow.tickets import Tickets
    from well.storage import opened_storage
    from well.whose import known

    installation, clock = current(), SystemClock()
    async with opened_storage(installation, clock, database_url=installation.database_url) as storage:
        store = PostgresAuthStore(storage.sealers.tokens)
        tickets = Tickets(database=storage.databases["auth"], store=store, clock=clock)
        ticket = await tickets.issue(await known(workspace, installation, storage), "sign_in")
        async with httpx.AsyncClient(verify=authorities(), timeout=REVOKE_SECONDS, headers=_JSON) as http:
            await http.get(f"{url}/sign-in", params={"ticket": ticket.text})
            answer = await http.get(f"{url}/connections")
            form = next(each["form"] for each in _said(answer)["connections"] if each["provider"] == provider)
            _said(await http.post(f"{url}/connections/{provider}/disconnect", data={"form": form}))


def _said(answer: httpx.Response) -> dict[str, Any]:
    said: dict[str, Any] = answer.json()
    if answer.status_code == httpx.codes.SERVICE_UNAVAILABLE:
        raise Transient(said["sentence"])
    if answer.is_error:
        raise Rejected(said["sentence"], code="refused")
    return said


def _as_json(connection: Connection) -> dict[str, object]:
    return {
        "provider": connection.provider,
        "state": connection.state,
        "account": connection.account.id,
        "account_name": connection.account.name,
        "scopes": list(connection.scopes),
        "allows": plain_words(connection.scopes),
    }
