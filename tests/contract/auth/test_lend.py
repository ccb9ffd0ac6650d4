"""Lending: one refresh however many ask, whoever dies, and nothing after a consent is lost."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Final
from uuid import UUID, uuid4

import httpx
import pytest

from libs.contracts.errors import ConsentLost, Rejected, Transient
from libs.contracts.events import ConsentLost as ConsentLostEvent
from libs.database.port import Database, Transaction
from services.auth.adapters.authorization_server import RegisteredApp
from services.auth.adapters.providers import xero_server
from services.auth.domain.connection import LEASE, Account, Connection, TokenPair
from services.auth.main import AuthService
from services.auth.ports import AuthStore, ProviderClient, ProviderProfile
from tests.contract.auth.conftest import Stage, events_of
from tests.support.auth import TENANT, build_auth, calls, told, xero_client
from tests.support.web import web_client

ALMOST_OLD_SECONDS: Final = 1800 - 60
"""A Xero token lives 30 minutes; with a minute left it is refreshed first. Source: developer.xero.com, OAuth 2.0."""


class Died(BaseException):
    """Stands for a process that ends here; no handler catches it."""


class DiesAfterTheAnswer:
    """A provider whose answer arrives in a process that dies before it can store it."""

    def __init__(self, inner: ProviderClient) -> None:
        self._inner = inner

    @property
    def profile(self) -> ProviderProfile:
        """As of the one it wraps."""
        return self._inner.profile

    def authorize_url(self, *, state: str, challenge: str, scopes: Sequence[str]) -> str:
        return self._inner.authorize_url(state=state, challenge=challenge, scopes=scopes)

    def is_issuer(self, named: str) -> bool:
        return self._inner.is_issuer(named)

    async def exchange(self, *, code: str, verifier: str, scopes: Sequence[str]) -> TokenPair:
        return await self._inner.exchange(code=code, verifier=verifier, scopes=scopes)

    async def refresh(self, refresh_token: str) -> TokenPair:
        await self._inner.refresh(refresh_token)
        raise Died

    async def accounts(self, pair: TokenPair) -> Sequence[Account]:
        return await self._inner.accounts(pair)

    async def opens(self, access_token: str, account: Account) -> bool:
        return await self._inner.opens(access_token, account)

    async def end(self, connection: Connection) -> None:
        await self._inner.end(connection)


class RefusedMeanwhile(DiesAfterTheAnswer):
    """A provider that answers while, in another process, the token of before is found to be refused."""

    def __init__(self, inner: ProviderClient, meanwhile: Callable[[], Awaitable[None]]) -> None:
        super().__init__(inner)
        self._meanwhile = meanwhile

    async def refresh(self, refresh_token: str) -> TokenPair:
        pair = await self._inner.refresh(refresh_token)
        await self._meanwhile()
        return pair


class Suspending:
    """A database of a process that is suspended once, right after it has written that it refreshes."""

    def __init__(self, inner: Database, store: AuthStore, meanwhile: Callable[[], Awaitable[None]]) -> None:
        self._inner = inner
        self._store = store
        self._meanwhile: Callable[[], Awaitable[None]] | None = meanwhile

    @asynccontextmanager
    async def transaction(self, workspace: UUID) -> AsyncIterator[Transaction]:
        """As of the one it wraps."""
        async with self._inner.transaction(workspace) as tx:
            yield tx
            held = await self._store.connection(tx, "xero")
        if held is not None and held.refreshing_by is not None and self._meanwhile is not None:
            meanwhile, self._meanwhile = self._meanwhile, None
            await meanwhile()


async def another_process(
    stage: Stage,
    http: httpx.AsyncClient,
    *,
    played: Callable[[ProviderClient], ProviderClient] = lambda real: real,
    database: Database | None = None,
) -> AuthService:
    """Auth in a process of its own, before the real provider or one that plays a trick on it."""
    return build_auth(
        stage.auth.url,
        clock=stage.clock,
        clients={"xero": played(xero_client(stage.xero, stage.auth.url, http, stage.clock))},
        log=stage.kept.log,
        database=database or await stage.kept.database(),
        store=stage.kept.store,
    )


async def token_calls(stage: Stage) -> int:
    return sum(count for call, count in (await calls(stage.xero)).items() if call.startswith("POST /connect/token"))


async def test_fifty_tasks_in_three_processes_refresh_an_old_token_once(stage: Stage) -> None:
    workspace = uuid4()
    await stage.auth.connect(workspace, "xero")
    before = await token_calls(stage)
    stage.clock.advance(ALMOST_OLD_SECONDS)
    async with web_client() as http:
        processes = [await another_process(stage, http) for _ in range(3)]
        tokens = await asyncio.gather(*(processes[n % 3].lend("xero_mcp", workspace, "xero") for n in range(50)))
    assert await token_calls(stage) == before + 1
    assert len({token.secret for token in tokens}) == 1


async def test_a_process_that_dies_between_the_answer_and_the_commit_costs_no_consent(stage: Stage) -> None:
    workspace = uuid4()
    await stage.auth.connect(workspace, "xero")
    stage.clock.advance(ALMOST_OLD_SECONDS)
    async with web_client() as http:
        dying = await another_process(stage, http, played=DiesAfterTheAnswer)
        with pytest.raises(Died):
            await dying.lending._refreshing.refreshed(workspace, "xero", beyond=0)
        stage.clock.advance(LEASE.total_seconds())  # Xero honours the spent token for 30 minutes, Qonto for 60 seconds
        token = await stage.auth.service.lend("xero_mcp", workspace, "xero")
        answer = await http.get(
            stage.xero.endpoints.connections_url, headers={"Authorization": f"Bearer {token.secret}"}
        )
    assert answer.status_code == httpx.codes.OK
    assert await stage.auth.service.connection_state(workspace, "xero") == "active"


async def test_a_process_that_is_suspended_before_it_asks_presents_no_token_that_was_spent_meanwhile(
    stage: Stage,
) -> None:
    workspace = uuid4()
    await stage.auth.connect(workspace, "xero")
    stage.clock.advance(ALMOST_OLD_SECONDS)
    before = await token_calls(stage)

    async def suspended() -> None:
        stage.clock.advance(LEASE.total_seconds())
        await stage.auth.service.lend("xero_mcp", workspace, "xero")

    async with web_client() as http:
        database = Suspending(await stage.kept.database(), stage.kept.store, suspended)
        waking = await another_process(stage, http, database=database)
        token = await waking.lend("xero_mcp", workspace, "xero")
    assert await token_calls(stage) == before + 1
    assert token == await stage.auth.service.lend("xero_mcp", workspace, "xero")


async def test_a_revoked_consent_is_lost_said_once_and_comes_back_with_a_person(stage: Stage) -> None:
    workspace = uuid4()
    await stage.auth.connect(workspace, "xero")
    token = await stage.auth.service.lend("xero_mcp", workspace, "xero")
    await told(stage.xero, "revoke", {"tenant_id": TENANT})
    with pytest.raises(ConsentLost):
        await stage.auth.service.refused(workspace, "xero", token.secret)
    await stage.auth.service.refused(workspace, "xero", token.secret)
    with pytest.raises(ConsentLost):
        await stage.auth.service.lend("xero_mcp", workspace, "xero")
    assert await stage.auth.service.connection_state(workspace, "xero") == "lost"
    (lost,) = [said for said in await events_of(stage.kept) if isinstance(said, ConsentLostEvent)]
    assert "Connect Xero again" in lost.sentence
    await stage.auth.connect(workspace, "xero")
    assert (await stage.auth.service.lend("xero_mcp", workspace, "xero")).secret != token.secret


async def test_a_refused_token_is_refreshed_once_for_everybody_who_met_the_refusal(stage: Stage) -> None:
    workspace = uuid4()
    await stage.auth.connect(workspace, "xero")
    token = await stage.auth.service.lend("xero_mcp", workspace, "xero")
    before = await token_calls(stage)
    await asyncio.gather(*(stage.auth.service.refused(workspace, "xero", token.secret) for _ in range(10)))
    assert (await stage.auth.service.lend("xero_mcp", workspace, "xero")).secret != token.secret
    assert await token_calls(stage) == before + 1


@pytest.mark.parametrize("kind", ["500", "html", "lost"])
async def test_a_refresh_without_a_clear_answer_costs_nothing_but_time(stage: Stage, kind: str) -> None:
    workspace = uuid4()
    await stage.auth.connect(workspace, "xero")
    stage.clock.advance(ALMOST_OLD_SECONDS)
    await told(stage.xero, "faults", {"method": "POST", "path": "/connect/token", "kind": kind})
    with pytest.raises(Transient):
        await stage.auth.service.lend("xero_mcp", workspace, "xero")
    assert (await stage.auth.service.lend("xero_mcp", workspace, "xero")).account == TENANT


async def test_a_wrong_secret_of_ours_costs_no_consent(quick: Stage) -> None:
    workspace = uuid4()
    await quick.auth.connect(workspace, "xero")
    quick.clock.advance(ALMOST_OLD_SECONDS)
    async with web_client() as http:
        app = RegisteredApp("well-demo", "yesterday's secret", redirect_uri=f"{quick.auth.url}/connect/xero/callback")
        misconfigured = build_auth(
            quick.auth.url,
            clock=quick.clock,
            clients={"xero": xero_server(quick.xero.endpoints, app, http, quick.clock)},
            log=quick.kept.log,
            database=await quick.kept.database(),
            store=quick.kept.store,
        )
        with pytest.raises(Transient) as told_why:
            await misconfigured.lend("xero_mcp", workspace, "xero")
    assert "Check the client id and secret" in told_why.value.sentence
    assert (await quick.auth.service.lend("xero_mcp", workspace, "xero")).account == TENANT


@pytest.mark.parametrize("service", ["ingest", "pusher", "matcher", "console", ""])
async def test_only_the_mcp_server_borrows_xero(quick: Stage, service: str) -> None:
    with pytest.raises(Rejected) as refused:
        await quick.auth.service.lend(service, uuid4(), "xero")
    assert refused.value.code == "not_a_borrower"


async def test_one_workspace_borrows_nothing_of_another(stage: Stage) -> None:
    mine, theirs = uuid4(), uuid4()
    await stage.auth.connect(theirs, "xero")
    with pytest.raises(ConsentLost):
        await stage.auth.service.lend("xero_mcp", mine, "xero")
    assert await stage.auth.service.connection_state(mine, "xero") == "none"
    assert list(await stage.auth.service.workspaces()) == [theirs]
