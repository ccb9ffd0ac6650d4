"""The tokens of MCP clients: issued in families, rotated, verified, ended.

A code or refresh token is spent under its row's lock, in the same transaction that issues what it buys: of two who
present it, the second finds it spent. A spent refresh token may come back within ten minutes, from a client that died
before it stored our answer; a spent code, or a refresh token that comes back later, ends the whole family.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID, uuid4

import orjson

from libs.contracts.errors import Rejected
from libs.crypto.bearer import INSTALLATION, mint, parse
from libs.database.port import Database, Transaction
from libs.runtime.clock import Clock
from services.xero_mcp.domain.token import LASTS, LIVE_REQUESTS, SPENT_KEPT, Token, TokenKind, comes_back_too_late
from services.xero_mcp.ports import XeroMcpStore

REMEMBERED_TOKENS: Final = 1024
"""Verified access tokens kept in memory for some seconds; the one unused for longest goes first."""


@dataclass(frozen=True)
class Held:
    """A token as it was found good: whose, for which client, and what it carries."""

    workspace: UUID
    client: str
    family: UUID
    content: dict[str, object] = field(repr=False)
    expires_at: datetime


@dataclass(frozen=True)
class Issued:
    """A pair of tokens in the open, for the client alone."""

    access: str = field(repr=False)
    refresh: str = field(repr=False)


class McpTokens:
    """All tokens of all MCP clients."""

    def __init__(self, *, database: Database, store: XeroMcpStore, clock: Clock, believed_seconds: float) -> None:
        self._database = database
        self._store = store
        self._clock = clock
        self._believed = timedelta(seconds=believed_seconds)
        self._remembered: OrderedDict[bytes, tuple[datetime, Held]] = OrderedDict()

    async def add_request(self, client: str, content: dict[str, object]) -> str:
        """A request that waits for a person.

        Raises:
            Rejected: `too_many_requests`.
        """
        now = self._clock.now()
        async with self._database.transaction(INSTALLATION) as tx:
            if await self._store.count(tx, "request", now=now) >= LIVE_REQUESTS:
                raise Rejected("Too many programs wait for an answer. Try again later.", code="too_many_requests")
            return await self._add(tx, "request", client, uuid4(), content)

    async def take_request(self, text: str) -> Held | None:
        """A request, which is answered with this; None when it is unknown, answered, or too old."""
        held = await self.spend("request", text)
        return held if held is not None and held.workspace == INSTALLATION else None

    async def add_code(self, workspace: UUID, client: str, content: dict[str, object]) -> str:
        """A code for what a person allowed."""
        async with self._database.transaction(workspace) as tx:
            code = await self._add(tx, "code", client, uuid4(), content)
        async with self._database.transaction(INSTALLATION) as tx:
            await self._store.mark_used(tx, client, self._clock.now())
        return code

    async def see(self, kind: TokenKind, text: str) -> Held | None:
        """A token that is good. One that comes back too late ends its family."""
        bearer = parse(text)
        if bearer is None:
            return None
        async with self._database.transaction(bearer.workspace) as tx:
            token = await self._store.token(tx, kind, bearer.sha256, now=self._clock.now())
            if token is None:
                return None
            if comes_back_too_late(token, now=self._clock.now()):
                await self._end(tx, token.family)
                return None
        return _held(bearer.workspace, token)

    async def verified(self, text: str) -> Held | None:
        """An access token that is good, or was some seconds ago."""
        bearer = parse(text)
        if bearer is None:
            return None
        believed_until, held = self._remembered.get(bearer.sha256, (None, None))
        now = self._clock.now()
        if held is not None and believed_until is not None and now < min(believed_until, held.expires_at):
            self._remembered.move_to_end(bearer.sha256)
            return held
        self._remembered.pop(bearer.sha256, None)
        held = await self.see("access", text)
        if held is not None:
            self._remembered[bearer.sha256] = (now + self._believed, held)
            if len(self._remembered) > REMEMBERED_TOKENS:
                self._remembered.popitem(last=False)
        return held

    async def buy(self, kind: TokenKind, text: str, *, scopes: list[str] | None = None) -> Issued | None:
        """Spend a code or a refresh token on the next pair; None when it is not good any more."""
        bearer, now = parse(text), self._clock.now()
        if bearer is None:
            return None
        async with self._database.transaction(bearer.workspace) as tx:
            token = await self._store.token(tx, kind, bearer.sha256, now=now, hold=True)
            if token is None:
                return None
            if comes_back_too_late(token, now=now):
                await self._end(tx, token.family)
                return None
            await self._store.spend(tx, bearer.sha256, now=now, kept_until=now + SPENT_KEPT)
            kept = orjson.loads(token.content)
            content = {"scopes": scopes or kept["scopes"], "resource": kept["resource"]}
            return Issued(
                access=await self._add(tx, "access", token.client, token.family, content),
                refresh=await self._add(tx, "refresh", token.client, token.family, content),
            )

    async def spend(self, kind: TokenKind, text: str) -> Held | None:
        """Use a token up; None when it is not good, or somebody was faster."""
        bearer, now = parse(text), self._clock.now()
        if bearer is None:
            return None
        async with self._database.transaction(bearer.workspace) as tx:
            token = await self._store.token(tx, kind, bearer.sha256, now=now, hold=True)
            if token is None or token.spent_at is not None:
                return None
            await self._store.spend(tx, bearer.sha256, now=now, kept_until=now + SPENT_KEPT)
        return _held(bearer.workspace, token)

    async def end(self, held: Held) -> None:
        """End everything that came from one consent."""
        async with self._database.transaction(held.workspace) as tx:
            await self._end(tx, held.family)

    async def _end(self, tx: Transaction, family: UUID) -> None:
        await self._store.end_family(tx, family)
        for sha256 in [sha256 for sha256, (_, held) in self._remembered.items() if held.family == family]:
            del self._remembered[sha256]

    async def _add(
        self, tx: Transaction, kind: TokenKind, client: str, family: UUID, content: dict[str, object]
    ) -> str:
        bearer, now = mint(tx.workspace), self._clock.now()
        token = Token(kind, bearer.sha256, family, client, orjson.dumps(content), now + LASTS[kind])
        await self._store.add_tokens(tx, [token], now=now)
        return bearer.text


def _held(workspace: UUID, token: Token) -> Held:
    return Held(workspace, token.client, token.family, orjson.loads(token.content), token.expires_at)
