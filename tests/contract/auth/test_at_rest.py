"""What lies in Postgres: nothing readable, and nothing of another workspace."""

from __future__ import annotations

from uuid import UUID, uuid4

from libs.database.postgres import connection_of
from libs.runtime.clock import ShiftedClock
from libs.xero.standin import running_standin
from services.auth.adapters.postgres import PostgresAuthStore
from services.auth.domain.ticket import TicketPurpose
from services.auth.flow.tickets import Tickets
from tests.support.auth import RunningAuth, running_auth
from tests.support.postgres import PostgresFixture


async def allow_program(auth: RunningAuth, workspace: UUID) -> None:
    """A person lets a program read, which has words of its own."""
    await auth.service.programs.allow(
        workspace,
        client_name="Ledgerful",
        redirect_host="localhost:1",
        document_host="ledgerful.example",
        scopes=("xero.read",),
    )


async def test_no_token_name_or_ticket_is_readable_in_any_table(postgres: PostgresFixture) -> None:
    clock, workspace = ShiftedClock(), uuid4()
    async with (
        running_standin(clock=clock) as xero,
        running_auth(
            xero,
            clock=clock,
            log=postgres.log("auth"),
            database=await postgres.database("auth"),
            store=PostgresAuthStore(postgres.sealer),
        ) as auth,
    ):
        await auth.connect(workspace, "xero")
        token = await auth.service.lend("xero_mcp", workspace, "xero")
        link = await auth.service.sign_in_ticket(workspace)
        await allow_program(auth, workspace)
        admin = await postgres.admin()
        rows = ""
        for table in ("workspace", "workspace_key", "connection", "ticket", "program", "event_log"):
            rows += str([tuple(row) for row in await admin.fetch(f"SELECT t::text FROM auth.{table} t")])  # noqa: S608 our own names
    for secret in (token.secret, "Atelier Marchand", "Ledgerful", "ledgerful.example", link.rpartition(".")[2]):
        assert secret not in rows
        assert secret.encode().hex() not in rows


async def test_a_transaction_of_one_workspace_sees_no_row_of_another(postgres: PostgresFixture) -> None:
    clock, mine, theirs = ShiftedClock(), uuid4(), uuid4()
    database = await postgres.database("auth")
    async with (
        running_standin(clock=clock) as xero,
        running_auth(
            xero,
            clock=clock,
            log=postgres.log("auth"),
            database=database,
            store=PostgresAuthStore(postgres.sealer),
        ) as auth,
    ):
        await auth.connect(theirs, "xero")
        await auth.service.keyring.keys(theirs, "payloads")
        await allow_program(auth, theirs)
        async with database.transaction(mine) as tx:
            connection = connection_of(tx)
            for table in ("workspace_key", "connection", "ticket", "program"):
                assert await connection.fetchval(f"SELECT count(*) FROM auth.{table}") == 0  # noqa: S608 our own names
            changed = await connection.execute("UPDATE auth.workspace SET region = 'us'")
            assert changed == "UPDATE 0"  # the list may be read by jobs, and changed by nobody else's transaction


async def test_what_has_expired_goes_with_the_next_ticket_of_any_purpose(postgres: PostgresFixture) -> None:
    """A choice that nobody made holds tokens, sealed; they do not wait for the next choice to be made."""
    clock, workspace = ShiftedClock(), uuid4()
    database, store = await postgres.database("auth"), PostgresAuthStore(postgres.sealer)
    tickets = Tickets(database=database, store=store, clock=clock)
    purposes: tuple[TicketPurpose, ...] = ("choice", "consent", "session")
    for purpose in purposes:
        await tickets.issue(workspace, purpose, b"content")
    clock.advance(13 * 3600)
    await tickets.issue(workspace, "sign_in")
    admin = await postgres.admin()
    assert [row["purpose"] for row in await admin.fetch("SELECT purpose FROM auth.ticket")] == ["sign_in"]
