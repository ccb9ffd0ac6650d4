"""Carries a grant on every request to an MCP server, and refreshes it in silence.

It stands in for the SDK's own provider in everything that happens without a person, since that one (mcp 2.3):

- goes to the browser after a restart with an expired token, because it does not remember when tokens expire
  (python-sdk#3250, #1318, #3240);
- sends a refresh to `<server>/token` when it has not just discovered the real endpoint (the same threads);
- holds one lock over each whole request, so that calls side by side wait for each other (python-sdk#3209, #1326,
  #2847).
"""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncGenerator
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Final
from urllib.parse import quote

import httpx2
from mcp.shared.auth import OAuthClientInformationFull, OAuthToken
from pydantic import ValidationError

from libs.contracts.errors import ConsentLost, Transient
from libs.runtime.clock import Clock
from services.ingest.adapters.mcp_grant import Grant, GrantKeeper

LIFE_MAX_SECONDS: Final = 86_400.0
"""Seconds of a token's life that are believed: one that is said to live for longer is only renewed before it ends."""

REFRESH_AHEAD_SECONDS: Final = 30.0
"""Seconds before a token's end at which it counts as ended: more than a call takes to reach the server's check."""

ASK_SECONDS: Final = 30.0
"""Seconds for the call that refreshes a token: ten times what it takes when it goes well."""

TURN: Final = timedelta(seconds=ASK_SECONDS + 10)
"""How long a process may refresh a grant alone: the call, and two looks at a row."""

LOOK_SECONDS: Final = 0.1
"""Seconds between looks while another process refreshes; its call takes some hundred milliseconds."""

_AGAIN: Final = "Connect Xero again."


class RefreshingBearer(httpx2.Auth):
    """The authentication of one workspace's session.

    Its flow raises ConsentLost when there is no grant, or the server refuses to refresh it for good, and Transient when
    it could not be refreshed just now.
    """

    def __init__(self, keeper: GrantKeeper, http: httpx2.AsyncClient, clock: Clock) -> None:
        self._keeper = keeper
        self._http = http
        self._clock = clock
        self._refreshing = asyncio.Lock()
        self._grant: Grant | None = None

    async def async_auth_flow(self, request: httpx2.Request) -> AsyncGenerator[httpx2.Request, httpx2.Response]:
        """Send with the token; when the server refuses it, once more with a fresh one."""
        grant = await self._valid()
        request.headers["Authorization"] = f"Bearer {grant.access_token}"
        response = yield request
        if response.status_code != HTTPStatus.UNAUTHORIZED:
            return
        grant = await self._refreshed(grant)
        request.headers["Authorization"] = f"Bearer {grant.access_token}"
        response = yield request
        if response.status_code == HTTPStatus.UNAUTHORIZED:
            raise ConsentLost(f"The Xero server refuses even a fresh token. {_AGAIN}")

    async def _valid(self) -> Grant:
        grant = self._grant or await self._loaded()
        soon = self._clock.now() + timedelta(seconds=REFRESH_AHEAD_SECONDS)
        return await self._refreshed(grant) if grant.expires_at and grant.expires_at <= soon else grant

    async def _loaded(self) -> Grant:
        self._grant = await self._keeper.load()
        if self._grant is None:
            raise ConsentLost("Nobody has connected Xero for this workspace yet. Connect Xero.")
        return self._grant

    async def _refreshed(self, used: Grant) -> Grant:
        """A grant newer than the one used: kept by somebody else meanwhile, or fetched now; one fetch at a time.

        One in this process by a lock, one over all processes by a turn that is written beside the grant. Whoever dies
        in its turn leaves it to the next when it runs out, with the token that was spent: the server may have answered,
        and answers once more.
        """
        async with self._refreshing:
            give_up_at = self._clock.now() + 2 * TURN
            while self._clock.now() < give_up_at:
                kept = await self._loaded()
                if kept.access_token != used.access_token:
                    return kept
                now = self._clock.now()
                if await self._keeper.take_turn(now=now, until=now + TURN):
                    return await self._fetched_in_turn(kept, until=now + TURN)
                await self._clock.sleep(LOOK_SECONDS)
        raise Transient("Another process has been refreshing the Xero server's grant for too long; trying again.")

    async def _fetched_in_turn(self, used: Grant, *, until: datetime) -> Grant:
        kept = await self._loaded()
        if kept.access_token != used.access_token:
            await self._keeper.end_turn(until=until)  # it was saved between our look and our turn
            return kept
        if self._clock.now() + timedelta(seconds=ASK_SECONDS) > until:
            # The server may take a token for stolen that another has spent since.
            raise Transient("This process was held up until its turn to refresh the grant was over; trying again.")
        try:
            fresh = await self._fetched(kept)
        except Transient:
            await self._keeper.end_turn(until=until)
            raise
        if fresh is None:
            await self._keeper.end_turn(until=until)
            raise ConsentLost(f"The Xero server no longer honours our grant. {_AGAIN}")
        self._grant = await self._keeper.replace(kept, fresh)
        if self._grant is None:
            raise ConsentLost(f"The grant of the Xero server was forgotten. {_AGAIN}")
        return self._grant

    async def _fetched(self, grant: Grant) -> Grant | None:
        """The refreshed grant, or None when the server refuses for good."""
        if grant.refresh_token is None:
            return None
        form, headers = client_authentication(grant)
        form |= {"grant_type": "refresh_token", "refresh_token": grant.refresh_token, "resource": grant.resource}
        try:
            async with asyncio.timeout(ASK_SECONDS):
                response = await self._http.post(grant.token_endpoint, data=form, headers=headers)
        except (httpx2.RequestError, TimeoutError) as error:
            raise Transient(f"The Xero server could not be asked for a token ({type(error).__name__}).") from None
        if response.status_code in {HTTPStatus.BAD_REQUEST, HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
            return None
        if response.status_code != HTTPStatus.OK:
            raise Transient(f"The Xero server did not refresh a token ({response.status_code}).")
        try:
            token = OAuthToken.model_validate_json(response.content)
        except ValidationError:
            raise Transient("The Xero server answered a refresh with something that is no token.") from None
        return grant.model_copy(update=tokens_of(token, self._clock, grant.refresh_token))


def tokens_of(token: OAuthToken, clock: Clock, refresh_token: str | None = None) -> dict[str, object]:
    """What a token response changes in a grant; without a new refresh token the old one stays good (RFC 6749, 6)."""
    lifetime = token.expires_in
    return {
        "access_token": token.access_token,
        "refresh_token": token.refresh_token or refresh_token,
        "expires_at": None if lifetime is None else clock.now() + timedelta(seconds=_believed(lifetime)),
    }


def _believed(lifetime_seconds: int) -> float:
    return min(max(lifetime_seconds, 0), LIFE_MAX_SECONDS)


def client_authentication(grant: Grant) -> tuple[dict[str, str], dict[str, str]]:
    """Form fields and headers that say who we are, in the way the server registered us (RFC 6749, 2.3.1)."""
    client = OAuthClientInformationFull.model_validate(grant.registration)
    identity = {"client_id": client.client_id or ""}
    if client.client_secret is None:
        return identity, {}
    if client.token_endpoint_auth_method == "client_secret_basic":  # noqa: S105 - the name of a method
        pair = f"{quote(identity['client_id'], safe='')}:{quote(client.client_secret, safe='')}"
        return identity, {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}
    return {**identity, "client_secret": client.client_secret}, {}
