"""One expired token, many processes over one Postgres: refreshed once, and no consent lost whoever is killed."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final
from uuid import UUID, uuid4

import httpx
import orjson
import pytest

from libs.contracts.identity import Provider
from libs.qonto.standin import running_standin as running_qonto
from libs.runtime.clock import ShiftedClock
from libs.runtime.crashpoints import REFRESH_POINTS
from libs.xero.standin import running_standin as running_xero
from services.auth.adapters.postgres import PostgresAuthStore
from services.auth.domain.connection import LEASE
from tests.contract.auth.borrower import BORROWERS, Lent, OneKey, Order
from tests.support.auth import RunningAuth, running_auth
from tests.support.keys import sealer_over
from tests.support.postgres import PostgresFixture
from tests.support.web import web_client

ROOT = Path(__file__).parents[3]
KILLED = -signal.SIGKILL

PROVIDERS: Final[tuple[Provider, ...]] = ("xero", "qonto")

LIVES: Final[dict[Provider, float]] = {"xero": 1800, "qonto": 3600}
"""Seconds an access token lives. Sources: developer.xero.com, token types; docs.qonto.com, OAuth."""

RUN_SECONDS = 60.0
"""Seconds until eight processes have borrowed on a busy machine; a tenth on an idle one."""


@dataclass
class Stage:
    """A connected workspace whose token has just run out."""

    auth: RunningAuth
    workspace: UUID
    order: Order
    clock: ShiftedClock

    async def token_calls(self) -> dict[str, int]:
        """The provider's token calls so far, by their status."""
        async with web_client() as http:
            counted = (await http.get(f"{self.order.standin}/_standin/calls")).raise_for_status().json()
        return {name.rpartition(" ")[2]: count for name, count in counted.items() if "/token" in name}

    async def works(self) -> None:
        """The connection is active, and the provider honours the token that it lends."""
        provider = self.order.provider
        token = await self.auth.service.lend(BORROWERS[provider], self.workspace, provider)
        async with web_client() as http:
            path = "/connections" if provider == "xero" else "/v2/supplier_invoices"
            answer = await http.get(f"{self.order.standin}{path}", headers={"Authorization": f"Bearer {token.secret}"})
        assert answer.status_code == httpx.codes.OK
        assert await self.auth.service.connection_state(self.workspace, provider) == "active"

    def advance(self, seconds: float) -> None:
        """Let time pass for the provider, for this process and for those started from now on."""
        self.clock.advance(seconds)
        self.order = replace(self.order, ahead_seconds=self.order.ahead_seconds + seconds)


@asynccontextmanager
async def expired(postgres: PostgresFixture, provider: Provider) -> AsyncIterator[Stage]:
    """A workspace with an old token, at both providers' stand-ins over HTTP."""
    clock, workspace = ShiftedClock(), uuid4()
    postgres.sealer = sealer_over(OneKey())
    async with (
        running_xero(clock=clock) as xero,
        running_qonto(clock=clock) as qonto,
        running_auth(
            xero,
            qonto=qonto,
            clock=clock,
            log=postgres.log("auth"),
            database=await postgres.database("auth"),
            store=PostgresAuthStore(postgres.sealer),
        ) as auth,
    ):
        assert (await auth.connect(workspace, provider)).status_code == httpx.codes.OK
        url = xero.url if provider == "xero" else qonto.url
        stage = Stage(auth, workspace, Order(postgres.dsn, url, str(workspace), provider), clock)
        stage.advance(LIVES[provider] + 1)
        yield stage


async def borrowed(order: Order, **environment: str) -> tuple[int, list[Lent]]:
    """How the borrowers' process ends, and what each of them got."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.contract.auth.borrower",
        cwd=ROOT,
        env={**os.environ, **order.environment(), **environment},
        stdout=PIPE,
    )
    async with asyncio.timeout(RUN_SECONDS):
        printed, _ = await process.communicate()
    assert process.returncode is not None
    return process.returncode, [Lent(**orjson.loads(line)) for line in printed.splitlines()]


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_eight_processes_of_fifty_tasks_refresh_an_expired_token_with_exactly_one_call(
    postgres: PostgresFixture, provider: Provider
) -> None:
    async with expired(postgres, provider) as stage:
        before = await stage.token_calls()
        ended, lent = await borrowed(replace(stage.order, processes=8, tasks=50))
        assert (ended, len(lent)) == (0, 8)
        assert {(each.different, each.sha256) for each in lent} == {(1, lent[0].sha256)}
        assert await stage.token_calls() == {"200": before["200"] + 1}


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_killed_at_each_point_of_a_refresh_in_turn_the_connection_lives(
    postgres: PostgresFixture, provider: Provider
) -> None:
    async with expired(postgres, provider) as stage:
        for point in REFRESH_POINTS:
            before = await stage.token_calls()
            assert await borrowed(stage.order, WELL_CRASH_AT=point) == (KILLED, [])
            stage.advance(LEASE.total_seconds())
            await stage.works()
            calls = 1 if point in {"auth.after_lease", "auth.after_kept"} else 2
            assert await stage.token_calls() == {"200": before["200"] + calls}, point
            stage.advance(LIVES[provider] + 1)
