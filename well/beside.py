"""Auth, for a command that is run beside the processes that work, or without any."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING
from uuid import UUID

import httpx

from libs.runtime.clock import SystemClock
from libs.runtime.tls import authorities

if TYPE_CHECKING:
    from services.auth.main import AuthService
    from well.home import Installation
    from well.settings import Settings


@asynccontextmanager
async def auth_here() -> AsyncIterator[tuple[AuthService, UUID | None]]:
    """Auth, and the workspace that is meant when none is named.

    With the variables of auth, that of services that run apart, where every workspace is named; else that of this
    machine's installation.

    Raises:
        Rejected: `no_installation` when nothing was ever started here; or as the settings say.
        Transient: Postgres does not answer.
    """
    clock = SystemClock()
    if os.environ.get("WELL_KEY_FILE"):
        from well.apart import apart_from
        from well.process import auth_beside

        async with auth_beside(apart_from("auth", os.environ), clock) as auth:
            yield auth, None
        return

    from well.home import current
    from well.storage import opened_storage
    from well.whose import own_workspace
    from well.wiring import Wiring

    installation = current()
    settings = _settings(installation)
    async with (
        opened_storage(installation, clock, database_url=installation.database_url) as storage,
        httpx.AsyncClient(verify=authorities(), timeout=settings.http_timeout_seconds) as http,
    ):
        url = installation.state().get("url", "")
        auth = Wiring(settings, storage, clock, http, installation.blobs, url=url, mcp_url="").auth()
        try:
            yield auth, await own_workspace(installation, storage)
        finally:
            await auth.aclose()


def _settings(installation: Installation) -> Settings:
    """Those of real accounts, or of the stand-ins that a demo has beside it."""
    from well.home import live
    from well.settings import from_environment
    from well.standin_settings import at_standins

    if installation.folder == live().folder:
        return from_environment(os.environ, f"http://localhost:{installation.remembered_port('front')}")
    xero, qonto = (f"http://127.0.0.1:{installation.remembered_port(name)}" for name in _STANDINS)
    return at_standins(xero, qonto, installation.workspace())


_STANDINS = ("xero_standin", "qonto_standin")
