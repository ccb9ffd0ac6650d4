"""Disconnects a workspace from a provider: first there, then here.

1. Bring the access token up to date, since the provider wants one to end a single account.
2. End it at the provider. A token that is refused there is renewed once, which tells a dead grant from an outage.
3. Forget the tokens and say so in the log, in one transaction.

Dying between 2 and 3 leaves a connection that calls itself active and whose next use finds out that it is lost; doing
it again then does only 3.
"""

from __future__ import annotations

from typing import Final
from uuid import UUID

from libs.contracts.envelope import enveloped
from libs.contracts.errors import ConsentLost, Transient
from libs.contracts.events import ConsentRevoked
from libs.contracts.identity import Provider, derived_id
from libs.database.port import Database
from libs.eventlog.port import EventLog
from libs.runtime.clock import Clock
from services.auth.domain.connection import TITLES, Connection, closed, record_of_connection
from services.auth.flow.lend import Lending
from services.auth.flow.refresh import Refreshing
from services.auth.ports import ConnectionStore, ProviderClient

_TRIES: Final = 2
"""Times that the end is asked for: with the token there is, and with one renewed because that was refused."""


class Disconnecting:
    """The ends of consents, by a person's wish."""

    def __init__(
        self,
        *,
        database: Database,
        store: ConnectionStore,
        log: EventLog,
        clients: dict[Provider, ProviderClient],
        refreshing: Refreshing,
        lending: Lending,
        clock: Clock,
    ) -> None:
        self._database = database
        self._store = store
        self._log = log
        self._clients = clients
        self._refreshing = refreshing
        self._lending = lending
        self._clock = clock

    async def disconnect(self, workspace: UUID, provider: Provider) -> None:
        """End a connection at its provider, then forget its tokens. Doing it again does nothing.

        Raises:
            Transient: The provider gave no clear answer; nothing has changed here.
            Rejected: The provider refused.
        """
        connection = await self._read(workspace, provider)
        if connection is None or connection.state == "revoked":
            return
        if connection.refresh_token is not None:
            await self._end(workspace, connection)
        self._lending.forget(workspace, provider)
        await self._close(workspace, connection)

    async def _end(self, workspace: UUID, connection: Connection) -> None:
        provider, held = connection.provider, connection
        for _ in range(_TRIES):
            try:
                if held.state == "active":
                    held = await self._refreshing.refreshed(workspace, provider, beyond=0)
            except ConsentLost:
                return
            try:
                await self._clients[provider].end(held)
            except ConsentLost:
                if held.state == "lost":
                    return  # refused for a day, and now too: nothing can be ended with what we have
                if held.state == "refused":
                    raise self._refused_for_now(provider) from None
                try:
                    await self._lending.refused(workspace, provider, held.access_token or "")
                except ConsentLost:
                    return
            else:
                return
        raise self._refused_for_now(provider)

    def _refused_for_now(self, provider: Provider) -> Transient:
        title = TITLES[provider]
        sentence = (
            f"{title} refuses every call of Well at the moment, the one that ends its access too; nothing was changed. "
            f"Try again later, or remove Well at {title} itself."
        )
        return Transient(sentence)

    async def _close(self, workspace: UUID, seen: Connection) -> None:
        async with self._database.transaction(workspace) as tx:
            connection = await self._store.connection(tx, seen.provider, hold=True)
            if connection is None or connection.state == "revoked" or connection.consent != seen.consent:
                return  # a consent that was given meanwhile stands
            revoked = enveloped(
                ConsentRevoked(provider=seen.provider),
                workspace=workspace,
                record=record_of_connection(connection),
                cause=derived_id("consent-revoked", connection.consent),
                occurred_at=self._clock.now(),
            )
            await self._store.put_connection(tx, closed(connection, "revoked"))
            await self._log.append(tx, [revoked])

    async def _read(self, workspace: UUID, provider: Provider) -> Connection | None:
        async with self._database.transaction(workspace) as tx:
            return await self._store.connection(tx, provider)
