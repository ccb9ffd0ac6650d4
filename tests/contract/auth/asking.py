"""Auth beside both providers, asked by other services: in one process, or over HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Literal
from uuid import UUID, uuid4

import httpx

from libs.auth_client.client import AuthClient
from libs.crypto.service_secret import service_secret
from libs.qonto.standin import running_standin as running_qonto
from libs.runtime.clock import ShiftedClock
from libs.xero.standin import Standin, running_standin
from services.auth.domain.rights import RIGHTS
from services.auth.inside import Inside
from tests.contract.auth.kept import Kept
from tests.support.auth import RunningAuth, running_auth
from tests.support.web import web_client

MASTER = b"\x07" * 32
SECRETS = {service: service_secret(MASTER, service) for service in RIGHTS}


@dataclass(frozen=True)
class Asked:
    """Auth beside both providers, and a way to ask it."""

    auth: RunningAuth
    xero: Standin
    clock: ShiftedClock
    http: httpx.AsyncClient
    way: Literal["here", "http"]

    def by(self, service: str, /, **changed: object) -> Inside:
        """Auth, as one service has it."""
        client = AuthClient(service, SECRETS.get(service, MASTER), self.auth.url, self.http, self.clock)
        return replace(client, **changed) if self.way == "http" else self.auth.service

    async def connected(self) -> UUID:
        """A workspace that is connected to both."""
        workspace = uuid4()
        await self.auth.connect(workspace, "xero")
        await self.auth.connect(workspace, "qonto")
        return workspace


@asynccontextmanager
async def auth_asked(kept: Kept, way: Literal["here", "http"]) -> AsyncIterator[Asked]:
    """Auth and both providers, running."""
    clock = ShiftedClock()
    async with (
        running_standin(clock=clock) as xero,
        running_qonto(clock=clock) as qonto,
        running_auth(
            xero,
            qonto=qonto,
            clock=clock,
            log=kept.log,
            database=await kept.database(),
            store=kept.store,
            secrets=SECRETS,
        ) as auth,
        web_client() as http,
    ):
        yield Asked(auth, xero, clock, http, way)
