"""The tokens of MCP clients: issued in families, rotated, verified, ended.

A code or refresh token is spent under its row's lock, in the same transaction that issues what it buys: of two who
present it, the second finds it spent. A spent code that comes back ends the whole family. So does a spent refresh
token, unless the answer it bought was never used: a client may have died before it stored that answer, gets another
one, and the first is good no more. There is never more than one pair that a refresh leads to.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, Literal
from uuid import UUID, uuid4

import orjson

from libs.contracts.consented import Consented
from libs.contracts.errors import Rejected, Transient
from libs.crypto.bearer import INSTALLATION, mint, parse
from libs.database.port import Database, Transaction
from libs.runtime.clock import Clock, is_within
from services.xero_mcp.domain.token import LASTS, LIVE_REQUESTS, SPENT_KEPT, Token, TokenKind, comes_back_stolen
from services.xero_mcp.ports import XeroMcpStore

ERASED: Final = "workspace_erased"
"""How the keys of a workspace that was erased are refused. Source: libs/crypto/keyring.py."""

REMEMBERED_TOKENS: Final = 1024
"""Verified access tokens kept in memory for some seconds; the one unused for longest goes first."""


@dataclass(frozen=True)
class Held:
    """A token as it was found good: from which consent, for which client, and what it carries."""

    consented: Consented
    client: str
    content: dict[str, Any] = field(repr=False)
    expires_at: datetime


@dataclass(frozen=True)
class Issued:
    """A pair of tokens in the open, for the client alone; no refresh token for a client that does not use them."""

    access: str = field(repr=False)
    refresh: str | None = field(repr=False)
    scopes: tuple[str, ...]


class McpTokens:
    """All tokens of all MCP clients."""

    def __init__(self, *, database: Database, store: XeroMcpStore, clock: Clock, believed_seconds: float) -> None:
        self._database = database
        self._store = store
        self._clock = clock
        self._believed = timedelta(seconds=believed_seconds)
        self._remembered: OrderedDict[bytes, tuple[datetime, Held]] = OrderedDict()

    async def add_request(self, client: str, content: dict[str, Any]) -> str:
        """A request that waits for a person. When there are too many, the oldest no longer do."""
        async with self._database.transaction(INSTALLATION) as tx:
            if await self._store.count(tx, "request", now=self._clock.now()) >= LIVE_REQUESTS:
                await self._store.drop_oldest(tx, "request", keep=LIVE_REQUESTS - 1)
            return await self._add(tx, "request", client, uuid4(), content)

    async def take_request(self, text: str) -> Held | None:
        """A request, which is answered with this; None when it is unknown, answered, or too old."""
        bearer, now = parse(text), self._clock.now()
        if bearer is None:
            return None
        async with self._database.transaction(INSTALLATION) as tx:
            token = await self._token(tx, "request", bearer.sha256, hold=True)
            if token is None or token.spent_at is not None:
                return None
            await self._store.spend(tx, bearer.sha256, now=now, kept_until=now + SPENT_KEPT)
        return _held(INSTALLATION, token)

    async def add_code(self, consented: Consented, client: str, content: dict[str, Any]) -> str:
        """A code for what a person allowed."""
        async with self._database.transaction(consented.workspace) as tx:
            return await self._add(tx, "code", client, consented.consent, content)

    async def verified(self, text: str) -> Held | None:
        """An access token that is good, or was some seconds ago."""
        bearer = parse(text)
        if bearer is None:
            return None
        since, held = self._remembered.get(bearer.sha256, (None, None))
        now = self._clock.now()
        believed = since is not None and is_within(self._believed, since=since, now=now)
        if held is not None and believed and now < held.expires_at:
            self._remembered.move_to_end(bearer.sha256)
            return held
        self._remembered.pop(bearer.sha256, None)
        async with self._database.transaction(bearer.workspace) as tx:
            token = await self._token(tx, "access", bearer.sha256)
            if token is None:
                return None
            if token.spent_at is None:
                # From now on the refresh token that bought it cannot come back for want of an answer.
                await self._store.spend(tx, bearer.sha256, now=now, kept_until=token.expires_at)
        held = _held(bearer.workspace, token)
        self._remembered[bearer.sha256] = (now, held)
        if len(self._remembered) > REMEMBERED_TOKENS:
            self._remembered.popitem(last=False)
        return held

    async def buy(
        self,
        kind: Literal["code", "refresh"],
        text: str,
        *,
        client: str,
        scopes_of: Callable[[dict[str, Any]], tuple[str, ...]],
    ) -> Issued | None:
        """Spend a code or a refresh token on the next pair; None when it is not good, or not any more.

        A code of a client that does not use refresh tokens buys none.

        Args:
            kind: Which of them.
            text: As it was presented.
            client: Who presents it; a token of another client is as unknown as none.
            scopes_of: Looks at what the token carries and says what is bought; when it raises, nothing is spent.
        """
        bearer, now = parse(text), self._clock.now()
        if bearer is None:
            return None
        async with self._database.transaction(bearer.workspace) as tx:
            token = await self._token(tx, kind, bearer.sha256, hold=True)
            if token is None or token.client != client:
                return None
            if token.spent_at is not None and not await self._forgiven(tx, token, now):
                return None
            kept = orjson.loads(token.content)
            scopes = scopes_of(kept)
            await self._store.spend(tx, bearer.sha256, now=now, kept_until=now + SPENT_KEPT)
            content = {"scopes": scopes, "resource": kept["resource"]}
            access = await self._add(tx, "access", client, token.family, content, parent=bearer.sha256)
            refresh = (
                await self._add(tx, "refresh", client, token.family, content, parent=bearer.sha256)
                if kept.get("refreshes", True)  # a code says it
                else None
            )
        async with self._database.transaction(INSTALLATION) as tx:
            await self._store.mark_used(tx, client, now)
        return Issued(access, refresh, scopes)

    async def consent_of(self, text: str, *kinds: TokenKind, client: str) -> Consented | None:
        """The consent behind a client's token of these kinds, spent or not; None when it is none of that client."""
        bearer = parse(text)
        if bearer is None:
            return None
        async with self._database.transaction(bearer.workspace) as tx:
            found = [await self._token(tx, kind, bearer.sha256) for kind in kinds]
        families = [token.family for token in found if token is not None and token.client == client]
        return Consented(bearer.workspace, families[0]) if families else None

    async def end(self, consented: Consented) -> None:
        """End everything that came from a consent."""
        async with self._database.transaction(consented.workspace) as tx:
            await self._end(tx, consented.consent)

    async def _token(self, tx: Transaction, kind: TokenKind, sha256: bytes, *, hold: bool = False) -> Token | None:
        """A token; None too when its workspace was erased, and nothing can open what it carries any more."""
        try:
            return await self._store.token(tx, kind, sha256, now=self._clock.now(), hold=hold)
        except Rejected as refusal:
            if refusal.code == ERASED:
                return None
            # Told as a refusal, it would make a program throw away a grant that is good.
            raise Transient("The keys of this workspace cannot be had just now.") from refusal

    async def _forgiven(self, tx: Transaction, token: Token, now: datetime) -> bool:
        """Whether a spent token may be spent again; its first answer is then good no more. If not, its family ends."""
        answer_used = await self._store.hold_children(tx, token.sha256)
        if comes_back_stolen(token, answer_used=answer_used, now=now):
            await self._end(tx, token.family)
            return False
        await self._store.drop_children(tx, token.sha256)
        return True

    async def _end(self, tx: Transaction, family: UUID) -> None:
        await self._store.end_family(tx, family)
        for sha256 in [sha256 for sha256, (_, held) in self._remembered.items() if held.consented.consent == family]:
            del self._remembered[sha256]

    async def _add(
        self,
        tx: Transaction,
        kind: TokenKind,
        client: str,
        family: UUID,
        content: dict[str, Any],
        *,
        parent: bytes | None = None,
    ) -> str:
        bearer, now = mint(tx.workspace), self._clock.now()
        token = Token(kind, bearer.sha256, family, client, orjson.dumps(content), now + LASTS[kind], parent=parent)
        await self._store.add_tokens(tx, [token], now=now)
        return bearer.text


def _held(workspace: UUID, token: Token) -> Held:
    return Held(Consented(workspace, token.family), token.client, orjson.loads(token.content), token.expires_at)
