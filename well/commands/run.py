"""`well run`: one service, for containers; and what an installation of several machines is made ready with."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path
from typing import Annotated, Literal, get_args
from uuid import UUID, uuid4

import typer

from libs.contracts.errors import Rejected
from libs.runtime.clock import SystemClock

Service = Literal["auth", "xero_mcp", "ingest", "matcher", "pusher", "console", "insights"]


def run(service: Annotated[Service, typer.Argument(help="Which one.")]) -> None:
    """Run one service as a process of its own, until it is told to stop.

    It is told what it needs by variables, and says which are missing.

    SIGTERM lets it finish what is under way, and ends it with status 0.
    """
    asyncio.run(_run(service))


def migrate() -> None:
    """Bring the Postgres at WELL_DATABASE_URL to this version's schemas and roles.

    The user of the address may create roles and schemas. Roles get the passwords that follow from the secrets in the
    folder WELL_SERVICE_SECRETS, as `well secrets` writes them; without it they have none.
    """
    from libs.crypto.service_secret import read_service_secret
    from libs.database.migrate import migrate as bring
    from libs.database.roles import role_of, role_password
    from libs.database.schemas import SERVICES
    from well.database_url import own_database

    database_url = own_database(os.environ)
    if database_url is None:
        raise Rejected("Set WELL_DATABASE_URL to the Postgres to migrate.", code="settings_missing")
    folder = os.environ.get("WELL_SERVICE_SECRETS")
    files = [Path(folder, service) for service in get_args(Service) if service in SERVICES] if folder else []
    passwords = {file.name: role_password(read_service_secret(file), role_of(file.name)) for file in files}
    asyncio.run(bring(database_url, passwords=passwords))


def secrets(folder: Annotated[Path, typer.Argument(help="Where to write them; one file a service.")]) -> None:
    """Write each service's secret, which follows from the key at WELL_KEY_FILE; the key is made when there is none."""
    from libs.crypto.key_provider import read_or_make_key
    from libs.crypto.service_secret import service_secret

    master = read_or_make_key(_key_file())
    folder.mkdir(parents=True, exist_ok=True)
    for service in get_args(Service):
        file = folder / service
        file.unlink(missing_ok=True)
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as opened:
            opened.write(service_secret(master, service))


def sign_in(*, workspace: Annotated[UUID | None, typer.Option(help="Whose; left out, a new one's.")] = None) -> None:
    """Print a link that signs a browser in, once, within 15 minutes. Run it with the variables of auth."""
    typer.echo(asyncio.run(_sign_in(workspace or uuid4())))


async def _sign_in(workspace: UUID) -> str:
    from well.apart import apart_from
    from well.process import auth_beside

    async with auth_beside(apart_from("auth", os.environ), SystemClock()) as auth:
        return await auth.sign_in_ticket(workspace)


def _key_file() -> Path:
    named = os.environ.get("WELL_KEY_FILE")
    if not named:
        raise Rejected("Set WELL_KEY_FILE to the file of the installation's key.", code="settings_missing")
    return Path(named)


async def _run(service: str) -> None:
    from well.apart import apart_from
    from well.process import running_service
    from well.reading import running_insights

    running_it = running_insights if service == "insights" else running_service
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with running_it(apart_from(service, os.environ), SystemClock()) as running:
        typer.echo(f"{running.service} listens on port {running.port}, for gRPC on {running.grpc_port}.")
        await stop.wait()
