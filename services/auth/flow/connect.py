"""Connects a workspace to a provider: the authorization-code flow with PKCE, from our side.

1. `begin`: a state and a verifier are made, and the browser leaves.
2. `come_back`: a callback is accepted when its state was made by us for this workspace and this provider, within ten
   minutes, and was never used before. The state is used up before anything else: a callback that comes twice is refused
   the second time, whatever became of the first.
3. `finish`: the code is exchanged, and what it opens is asked. One account is kept; of several a person chooses.
4. `choose`: the one that was chosen is kept.

A process that dies between the exchange and the commit leaves no connection; the person starts again, and the provider
forgets the first grant when the second is made.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
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
from services.auth.domain.connection import TITLES, Account, Connection, TokenPair, eligible, record_of_connection
from services.auth.domain.consent import (
    PendingChoice,
    PendingConsent,
    begin,
    challenge_of,
    missing_scopes,
    scopes_to_ask,
)
from services.auth.domain.plain_words import plain_words
from services.auth.flow.keyring import DEFAULT_REGION
from services.auth.flow.lend import Lending
from services.auth.flow.tickets import Tickets
from services.auth.ports import ConnectionStore, ProviderClient

_OLD_STATE: Final = "This visit to the provider was used already, or is older than ten minutes. Start again from Well."
_OLD_CHOICE: Final = "This choice was made already, or is older than ten minutes. Start again from Well."


@dataclass(frozen=True)
class Returned:
    """A browser that came back from the provider it was sent to, and the name of the consent that it brings."""

    pending: PendingConsent
    consent: UUID


@dataclass(frozen=True)
class Granted:
    """What a person has just allowed."""

    pending: PendingConsent
    account: Account
    scopes: tuple[str, ...]


@dataclass(frozen=True)
class ToChoose:
    """A consent that opens several accounts. `token` stands for it, once, until one is chosen."""

    token: str = field(repr=False)
    accounts: tuple[Account, ...]


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

    async def begin(
        self,
        workspace: UUID,
        provider: Provider,
        return_to: str | None,
        *,
        bank_matching: bool | None = None,
        loopback: str | None = None,
    ) -> str:
        """The provider's page to send the browser to.

        Args:
            workspace: Whose consent it will be.
            provider: Where.
            return_to: A path of ours to go on to afterwards; None ends at the page that says what was granted.
            bank_matching: Whether the workspace wants bank matching, which needs a sensitive scope; None leaves it as
                it is.
            loopback: Where a command waits to hear how it ended.

        Raises:
            Rejected: `return_address` when it leads away from Well; `too_many_tickets`.
        """
        client, before = self._clients[provider], await self._read(workspace, provider)
        scopes = scopes_to_ask(
            client.profile.scopes,
            client.profile.bank_scopes,
            bank_matching=bank_matching,
            before=before.scopes if before else (),
        )
        pending = begin(provider, scopes, return_to, loopback=loopback)
        state = await self._tickets.issue(workspace, "consent", pending.to_bytes())
        return client.authorize_url(state=state.text, challenge=challenge_of(pending.verifier), scopes=scopes)

    async def come_back(
        self, workspace: UUID, provider: Provider, *, state: str, issuer: str | None = None
    ) -> Returned:
        """Take the browser back, once.

        Args:
            workspace: Whose visit it was.
            provider: Whose callback it came to.
            state: What it brings.
            issuer: As which the authorization server names itself, if it does (RFC 9207).

        Raises:
            Rejected: `state` when it was not made for this visit; `issuer` when the answer is another server's.
        """
        bearer = parse(state)
        if bearer is None or bearer.workspace != workspace:
            raise Rejected("This answer of the provider does not belong to your visit. Start again.", code="state")
        taken = await self._tickets.take(state, "consent")
        if taken is None:
            raise Rejected(_OLD_STATE, code="state")
        pending = PendingConsent.from_bytes(taken[1])
        if pending.provider != provider:
            raise Rejected("This answer came from another provider than the one you went to.", code="state")
        if issuer is not None and not self._clients[provider].is_issuer(issuer):
            raise Rejected(f"This answer names another server than {TITLES[provider]}'s. Start again.", code="issuer")
        return Returned(pending, derived_id("consent", state))

    async def finish(self, workspace: UUID, returned: Returned, *, code: str) -> Granted | ToChoose:
        """Exchange the code, and keep the tokens it stands for.

        Raises:
            Rejected: The provider's own word when it refused the code, `no_code` when there is none; `no_refresh_token`
                or `scope_missing` when less was granted than Well needs; `workspace_erased`; and as `eligible` says of
                the account.
            Transient: The provider gave no clear answer; the person starts again.
        """
        pending = returned.pending
        client, title = self._clients[pending.provider], TITLES[pending.provider]
        if not code:
            raise Rejected(f"{title} sent you back without a code. Start again.", code="no_code")
        pair = await client.exchange(code=code, verifier=pending.verifier, scopes=pending.scopes)
        if pair.refresh is None:
            raise Rejected(
                f"{title} gave no lasting access. Start again and allow offline access.", code="no_refresh_token"
            )
        missing = missing_scopes(client.profile.scopes, pair.scopes)
        if missing:
            words = "; ".join(plain_words(missing))
            raise Rejected(
                f"{title} did not allow all that Well needs. Missing: {words}. Start again.", code="scope_missing"
            )
        before = await self._read(workspace, pending.provider)
        found = eligible(await client.accounts(pair), before.account if before else None, pending.provider)
        choice = PendingChoice(returned.consent, pending, pair, tuple(found))
        if len(found) == 1:
            return await self._keep(workspace, choice, found[0])
        token = await self._tickets.issue(workspace, "choice", choice.to_bytes())
        return ToChoose(token.text, choice.accounts)

    async def choose(self, workspace: UUID, provider: Provider, *, token: str, account_id: str) -> Granted:
        """Keep the account that a person chose of several. A choice is made once.

        Raises:
            Rejected: `choice` when it is old, somebody else's, or of an account that was not offered;
                `workspace_erased`; and as `eligible` says.
        """
        taken = await self._tickets.take(token, "choice")
        if taken is None or taken[0] != workspace:
            raise Rejected(_OLD_CHOICE, code="choice")
        choice = PendingChoice.from_bytes(taken[1])
        if choice.pending.provider != provider:
            raise Rejected(_OLD_CHOICE, code="choice")
        return await self._keep(workspace, choice, choice.named(account_id))

    async def _read(self, workspace: UUID, provider: Provider) -> Connection | None:
        async with self._database.transaction(workspace) as tx:
            return await self._store.connection(tx, provider)

    async def _keep(self, workspace: UUID, choice: PendingChoice, account: Account) -> Granted:
        now, provider = self._clock.now(), choice.pending.provider
        async with self._database.transaction(workspace) as tx:
            if not await self._store.mark_connected(tx, DEFAULT_REGION, now):
                raise Rejected("This workspace was erased while you were away.", code="workspace_erased")
            before = await self._store.connection(tx, provider, hold=True)
            (account,) = eligible([account], before.account if before else None, provider)  # as it is by now
            connection = _connection(choice, account, generation=before.generation + 1 if before else 1, now=now)
            granted = enveloped(
                ConsentGranted(provider=provider, account=account.id, scopes=connection.scopes),
                workspace=workspace,
                record=record_of_connection(connection),
                cause=choice.consent,
                occurred_at=now,
            )
            await self._store.put_connection(tx, connection)
            await self._log.append(tx, [granted])
        self._lending.forget(workspace, provider)
        return Granted(choice.pending, account, connection.scopes)


def _connection(choice: PendingChoice, account: Account, *, generation: int, now: datetime) -> Connection:
    pair: TokenPair = choice.pair
    return Connection(
        provider=choice.pending.provider,
        state="active",
        consent=choice.consent,
        account=account,
        scopes=pair.scopes,
        generation=generation,
        expires_at=pair.expires_at,
        rotated_at=now,
        access_token=pair.access,
        refresh_token=pair.refresh,
    )
