"""Connects a workspace to a provider: the authorization-code flow with PKCE, from our side.

A callback is accepted when its state was made by us for this workspace and this provider, within ten minutes, and was
never used before. The state is used up before the code is exchanged: a callback that comes twice is refused the second
time, whatever became of the first. A process that dies between the exchange and the commit leaves no connection; the
person starts again, and the provider forgets the first grant when the second is made.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from libs.contracts.envelope import enveloped
from libs.contracts.errors import Rejected
from libs.contracts.events import ConsentGranted
from libs.contracts.identity import Provider, derived_id
from libs.crypto.bearer import parse
from libs.database.port import Database
from libs.eventlog.port import EventLog
from libs.runtime.clock import Clock
from services.auth.domain.connection import (
    TITLES,
    Account,
    Connection,
    TokenPair,
    chosen,
    record_of_connection,
)
from services.auth.domain.consent import PendingConsent, begin, challenge_of
from services.auth.flow.keyring import DEFAULT_REGION
from services.auth.flow.lend import Lending
from services.auth.flow.tickets import Tickets
from services.auth.ports import ConnectionStore, ProviderClient

_OLD_STATE: Final = "This visit to the provider was used already, or is older than ten minutes. Start again from Well."


@dataclass(frozen=True)
class Granted:
    """What a person has just allowed."""

    provider: Provider
    account: Account
    scopes: tuple[str, ...]
    return_to: str | None


class Connecting:
    """The consents of all workspaces."""

    def __init__(
        self,
        *,
        database: Database,
        store: ConnectionStore,
        log: EventLog,
        clients: dict[Provider, ProviderClient],
        tickets: Tickets,
        lending: Lending,
        clock: Clock,
    ) -> None:
        self._database = database
        self._store = store
        self._log = log
        self._clients = clients
        self._tickets = tickets
        self._lending = lending
        self._clock = clock

    async def begin(self, workspace: UUID, provider: Provider, return_to: str | None) -> str:
        """The provider's page to send the browser to.

        Raises:
            Rejected: `return_address` when it leads away from Well; `too_many_tickets`.
        """
        pending = begin(provider, return_to)
        state = await self._tickets.issue(workspace, "consent", pending.to_bytes())
        return self._clients[provider].authorize_url(state=state.text, challenge=challenge_of(pending.verifier))

    async def finish(self, workspace: UUID, provider: Provider, *, state: str, code: str) -> Granted:
        """Take the browser back with a code, and keep the tokens it stands for.

        Raises:
            Rejected: `state` when it was not made for this visit; the provider's own word when it refused the code;
                and as `chosen` says of the account.
            Transient: The provider gave no clear answer; the person starts again.
        """
        pending = await self._redeemed(workspace, provider, state)
        client = self._clients[provider]
        pair = await client.exchange(code=code, verifier=pending.verifier)
        if pair.refresh is None:
            sentence = f"{TITLES[provider]} gave no lasting access. Start again and allow offline access."
            raise Rejected(sentence, code="no_refresh_token")
        accounts = await client.accounts(pair)
        account = await self._keep(workspace, provider, pair, accounts, consent=derived_id("consent", state))
        self._lending.forget(workspace, provider)
        return Granted(provider, account, pair.scopes, pending.return_to)

    async def give_up(self, workspace: UUID, provider: Provider, *, state: str) -> PendingConsent:
        """The person refused at the provider: the visit is over.

        Raises:
            Rejected: `state` when it was not made for this visit.
        """
        return await self._redeemed(workspace, provider, state)

    async def _redeemed(self, workspace: UUID, provider: Provider, state: str) -> PendingConsent:
        bearer = parse(state)
        if bearer is None or bearer.workspace != workspace:
            raise Rejected("This answer of the provider does not belong to your visit. Start again.", code="state")
        taken = await self._tickets.take(state, "consent")
        if taken is None:
            raise Rejected(_OLD_STATE, code="state")
        pending = PendingConsent.from_bytes(taken[1])
        if pending.provider != provider:
            raise Rejected("This answer came from another provider than the one you went to.", code="state")
        return pending

    async def _keep(
        self, workspace: UUID, provider: Provider, pair: TokenPair, accounts: Sequence[Account], *, consent: UUID
    ) -> Account:
        now = self._clock.now()
        async with self._database.transaction(workspace) as tx:
            before = await self._store.connection(tx, provider, hold=True)
            account = chosen(accounts, before.account if before else None, provider)
            connection = Connection(
                provider=provider,
                state="active",
                consent=consent,
                account=account,
                scopes=pair.scopes,
                generation=1 if before is None else before.generation + 1,
                expires_at=pair.expires_at,
                rotated_at=now,
                access_token=pair.access,
                refresh_token=pair.refresh,
            )
            granted = enveloped(
                ConsentGranted(provider=provider, account=account.id, scopes=pair.scopes),
                workspace=workspace,
                record=record_of_connection(connection),
                cause=consent,
                occurred_at=now,
            )
            await self._store.mark_connected(tx, DEFAULT_REGION, now)
            await self._store.put_connection(tx, connection)
            await self._log.append(tx, [granted])
        return account
