"""Lends access tokens: only to those who may borrow, for one call, and never one that is about to run out."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from hmac import compare_digest
from typing import Final
from uuid import UUID

from libs.contracts.errors import ConsentLost, Rejected
from libs.contracts.identity import Provider
from libs.crypto.lent import LentToken
from libs.database.port import Database
from libs.runtime.clock import Clock, is_within
from services.auth.domain.connection import Connection, ConnectionState, is_refused_again, next_step
from services.auth.domain.rights import may
from services.auth.flow.refresh import Refreshing
from services.auth.flow.unauthorized import Unauthorized
from services.auth.ports import ConnectionStore

LENT_FROM_MEMORY: Final = timedelta(seconds=5)
"""How long a token is lent again without a look at its row, so that a thousand attachments are not a thousand look-ups.
A consent that another process revoked is found out by the provider's 401 or after this time, whichever is first."""

REMEMBERED_CONNECTIONS: Final = 256
"""Connections whose token stays in memory for those seconds at most; the one lent longest ago goes first."""

_Key = tuple[UUID, Provider]


class Lending:
    """The tokens of all connections, lent for one call at a time."""

    def __init__(
        self,
        *,
        database: Database,
        store: ConnectionStore,
        refreshing: Refreshing,
        unauthorized: Unauthorized,
        clock: Clock,
    ) -> None:
        self._database = database
        self._store = store
        self._refreshing = refreshing
        self._unauthorized = unauthorized
        self._clock = clock
        self._under_way: dict[_Key, asyncio.Task[Connection]] = {}
        self._remembered: dict[_Key, tuple[datetime, Connection]] = {}

    async def lend(self, borrower: str, workspace: UUID, provider: Provider) -> LentToken:
        """A token with at least two minutes left.

        Raises:
            Rejected: `not_a_borrower` when this service has no business at this provider.
            ConsentLost: There is no consent, or the provider no longer honours it.
            Transient: The provider or the database does not answer, the connection rests after refusals, or the
                provider is left alone after too many of them.
        """
        if not may(borrower, "borrow_xero" if provider == "xero" else "borrow_qonto"):
            raise Rejected(f"The service {borrower} may not borrow {provider} tokens.", code="not_a_borrower")
        await self._unauthorized.check(provider)
        connection = self._from_memory((workspace, provider)) or await self._current(workspace, provider)
        if connection.access_token is None:
            raise ConsentLost(f"The {provider} connection holds no token. Connect it again in Well.")
        return LentToken(connection.access_token, connection.account.id, connection.expires_at)

    async def refused(self, workspace: UUID, provider: Provider, secret: str) -> None:
        """A borrower saw 401 with this token: refresh it once, unless that has been done.

        A refusal soon after a refresh that a refusal forced proves nothing yet. The connection rests with its tokens
        kept, and is tried again after a growing pause; see `Refreshing.doubt`.

        Raises:
            ConsentLost: The provider no longer honours the consent.
            Transient: The provider or the database does not answer, or the connection rests now.
        """
        await self._unauthorized.note(provider)
        self.forget(workspace, provider)
        connection = await self._look(workspace, provider)
        if connection is None or connection.state != "active" or connection.access_token is None:
            return
        if not compare_digest(connection.access_token.encode(), secret.encode()):
            return
        if is_refused_again(connection, now=self._clock.now()):
            await self._refreshing.doubt(workspace, connection)
        await self._current(workspace, provider, beyond=connection.generation)

    async def forbidden(self, workspace: UUID, provider: Provider) -> None:
        """A borrower saw its account refused to a good token: nothing happens when the consent still opens it.

        Raises:
            ConsentLost: It does not, and is lost now: a person disconnected it at the provider.
            Transient: The provider or the database does not answer, or the connection rests after refusals.
        """
        connection = await self._current(workspace, provider)
        if not await self._refreshing.still_opens(workspace, connection):
            self.forget(workspace, provider)
            await self._current(workspace, provider)

    async def state(self, workspace: UUID, provider: Provider) -> ConnectionState:
        """How the connection stands."""
        connection = await self._look(workspace, provider)
        return "none" if connection is None else connection.state

    async def account_name(self, workspace: UUID, provider: Provider) -> str | None:
        """What the connected account is called there; None when there is none, or it has no name."""
        connection = await self._look(workspace, provider)
        return None if connection is None else connection.account.name

    def forget(self, workspace: UUID, provider: Provider) -> None:
        """Lend nothing of this connection from memory."""
        self._remembered.pop((workspace, provider), None)

    async def aclose(self) -> None:
        """Wait for refreshes under way: what a provider answered is stored even while we are being stopped."""
        await asyncio.gather(*self._under_way.values(), return_exceptions=True)

    async def _current(self, workspace: UUID, provider: Provider, *, beyond: int = 0) -> Connection:
        connection = await self._look(workspace, provider)
        if connection is None or next_step(connection, now=self._clock.now(), beyond=beyond) != "use":
            connection = await self._refreshed(workspace, provider, beyond)
        self.forget(workspace, provider)
        self._remembered[workspace, provider] = (self._clock.now(), connection)
        if len(self._remembered) > REMEMBERED_CONNECTIONS:
            del self._remembered[next(iter(self._remembered))]
        return connection

    async def _refreshed(self, workspace: UUID, provider: Provider, beyond: int) -> Connection:
        key = (workspace, provider)
        task = self._under_way.get(key)
        if task is None:
            task = asyncio.create_task(self._refreshing.refreshed(workspace, provider, beyond=beyond))
            self._under_way[key] = task
            task.add_done_callback(lambda done: self._finished(key, done))
        return await asyncio.shield(task)

    def _finished(self, key: _Key, done: asyncio.Task[Connection]) -> None:
        del self._under_way[key]
        if not done.cancelled():
            done.exception()  # whoever waits has it; if nobody waits any more, the next borrower meets it again

    async def _look(self, workspace: UUID, provider: Provider) -> Connection | None:
        async with self._database.transaction(workspace) as tx:
            return await self._store.connection(tx, provider)

    def _from_memory(self, key: _Key) -> Connection | None:
        since, connection = self._remembered.get(key, (None, None))
        if since is None or not is_within(LENT_FROM_MEMORY, since=since, now=self._clock.now()):
            self._remembered.pop(key, None)
            return None
        return connection
