"""The habits of the SDK's own client that ingest works around (mcp 2.3), seen on the SDK alone.

When one of these fails, an upgrade has mended it, and the workaround named beside it can go.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import httpx2
import pytest
from mcp.client.auth import AuthorizationCodeResult, OAuthClientProvider, OAuthFlowError
from mcp.shared.auth import OAuthClientInformationFull, OAuthClientMetadata, OAuthToken
from pydantic import AnyUrl

from libs.runtime.tls import authorities
from services.ingest.adapters.memory_providers import MemoryProvider
from tests.contract.ingest.conftest import Kept
from tests.contract.ingest.mcp_stand_in import ALL, McpStandIn, running
from tests.support.web import web_client

pytestmark = pytest.mark.parametrize("backend", ["memory"], indirect=True)

CALLBACK = "http://127.0.0.1:1/callback"


class Remembered:
    """The storage that the SDK asks its users for."""

    def __init__(self) -> None:
        self.tokens: OAuthToken | None = None
        self.client: OAuthClientInformationFull | None = None

    async def get_tokens(self) -> OAuthToken | None:
        return self.tokens

    async def set_tokens(self, tokens: OAuthToken) -> None:
        self.tokens = tokens

    async def get_client_info(self) -> OAuthClientInformationFull | None:
        return self.client

    async def set_client_info(self, client_info: OAuthClientInformationFull) -> None:
        self.client = client_info


@asynccontextmanager
async def server(kept: Kept) -> AsyncIterator[McpStandIn]:
    made = McpStandIn(MemoryProvider(), kept.workspace)
    async with running(made):
        yield made


def provider(stand_in: McpStandIn, storage: Remembered) -> OAuthClientProvider:
    """A new process, as the SDK means it."""
    arrived: list[httpx.URL] = []

    async def open_browser(url: str) -> None:
        async with web_client() as browser:
            arrived.append(httpx.URL((await browser.get(url)).headers["Location"]))

    async def wait() -> AuthorizationCodeResult:
        words = arrived.pop().params
        return AuthorizationCodeResult(code=words["code"], state=words["state"], iss=words["iss"])

    metadata = OAuthClientMetadata(redirect_uris=[AnyUrl(CALLBACK)], scope="xero.read")
    return OAuthClientProvider(stand_in.mcp_url, metadata, storage, open_browser, wait)


async def ask(stand_in: McpStandIn, auth: OAuthClientProvider) -> httpx2.Response:
    async with httpx2.AsyncClient(verify=authorities(), auth=auth) as http:
        return await http.post(stand_in.mcp_url, json={"jsonrpc": "2.0", "id": 1, "method": "ping"})


async def test_it_asks_for_every_scope_there_is(kept: Kept) -> None:
    """Hence `PinnedScope`."""
    async with server(kept) as stand_in:
        await ask(stand_in, provider(stand_in, Remembered()))
    assert stand_in.registered[0]["scope"] == stand_in.authorized[0]["scope"] == " ".join(ALL)


async def test_a_new_process_with_an_expired_token_goes_to_the_browser(kept: Kept) -> None:
    """Hence `RefreshingBearer`."""
    async with server(kept) as stand_in:
        storage = Remembered()
        await ask(stand_in, provider(stand_in, storage))
        stand_in.access.clear()
        await ask(stand_in, provider(stand_in, storage))
    assert (len(stand_in.authorized), stand_in.asked["token refresh_token"]) == (2, 0)


async def test_it_refreshes_at_an_address_nobody_named(kept: Kept) -> None:
    """Hence the token endpoint in `Grant`."""
    async with server(kept) as stand_in:
        storage = Remembered()
        await ask(stand_in, provider(stand_in, storage))
        again = provider(stand_in, storage)
        await again._initialize()
        again.context.token_expiry_time = 1.0
        await ask(stand_in, again)
    assert (stand_in.asked["POST /token"], stand_in.asked["token refresh_token"]) == (1, 0)


async def test_it_refuses_a_server_whose_two_documents_differ_in_a_slash(kept: Kept) -> None:
    """Hence `RootIssuer`."""
    async with server(kept) as stand_in:
        stand_in.issuer_slash = True
        with pytest.raises(OAuthFlowError, match="issuer mismatch"):
            await ask(stand_in, provider(stand_in, Remembered()))


async def test_it_registers_where_no_registration_is_offered(kept: Kept) -> None:
    """Hence `CarefulProvider._known`."""
    async with server(kept) as stand_in:
        stand_in.registers = False
        await ask(stand_in, provider(stand_in, Remembered()))
    assert len(stand_in.registered) == 1


async def test_it_trusts_a_server_that_does_not_offer_pkce(kept: Kept) -> None:
    """Hence `CarefulProvider._perform_authorization`."""
    async with server(kept) as stand_in:
        stand_in.pkce = False
        await ask(stand_in, provider(stand_in, Remembered()))
    assert len(stand_in.authorized) == 1
