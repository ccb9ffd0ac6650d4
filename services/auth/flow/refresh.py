"""Refreshes a token pair once, however many tasks and processes want it, and survives dying on any line.

Step by step:

1. Take the connection's row. If somebody else has refreshed it meanwhile, use theirs; if somebody is at it, wait.
2. Write a lease into the row, commit, and let the row go: no transaction is open while the provider is asked.
3. Ask the provider with the current refresh token.
4. Take the row again. If its generation is still the one we saw, store the new pair beside the spent token; commit.
5. Only now may the new token be used.

Where a process may die:

- before 3: nothing was spent. The lease runs out and the next borrower refreshes: mostly the one whose call broke,
  which asks again after pauses that begin with half a second.
- between the provider's answer in 3 and the commit in 4: the provider has rotated, our row has not. The lease runs out
  after 25 s and the next borrower presents the same, now spent, refresh token, which the provider honours for its grace
  (Xero 30 minutes, Qonto 60 seconds after the first use). Only if nobody borrows within the grace is the consent lost.
- after 4: nothing to do.

If a refresh outlives its lease, two may be under way. One commits; the other finds a newer generation and drops its
pair. Should the provider have kept the dropped pair alone, the next refresh is refused; then the spent token of the
generation before is presented once, within the grace, before the connection is called lost.

A fresh token that is refused as well is another matter, and costs no token: domain/connection.py says why.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID, uuid4

from libs.contracts.envelope import enveloped
from libs.contracts.errors import ConsentLost, Rejected, Transient
from libs.contracts.events import ConsentLost as ConsentLostEvent
from libs.contracts.identity import Provider, derived_id
from libs.database.port import Database
from libs.eventlog.port import EventLog
from libs.runtime.clock import Clock
from libs.runtime.crashpoints import crashpoint
from services.auth.domain.connection import (
    LONGEST_LEASE,
    TITLES,
    Connection,
    Step,
    TokenPair,
    closed,
    is_lease_over,
    leased,
    next_step,
    record_of_connection,
    refresh_tokens,
    refused,
    rest_left,
    rotated,
    unleased,
)
from services.auth.flow.unauthorized import Unauthorized
from services.auth.ports import ConnectionStore, ProviderClient

GRANT_IS_GONE: Final = frozenset({"invalid_grant", "token_inactive"})
"""The refusals that speak of the grant. Others speak of us, such as `invalid_client` after our secret was changed, or
of a proxy in between: the grant lives on, and is used again when that is mended. Sources: RFC 6749, section 5.2; the
second is Hydra's, with 401, for a refresh token that came again (ory/hydra#3004), and Qonto runs a Hydra."""

CLIENT_IS_UNKNOWN: Final = "invalid_client"
"""The refusal that comes with 401, the same section."""

REFUSED_PAUSE_SECONDS: Final = 60.0
"""Seconds before the next try after such a refusal: a person has to change a setting."""

ASK_AGAIN_SECONDS: Final = 60.0
"""Seconds at most before a borrower asks again for a token of a connection that rests, though it may rest for longer: a
person may have connected it anew meanwhile, and to ask costs one look at a row."""

POLL_SECONDS: Final = 0.05
"""Seconds between looks at a row that another process is refreshing; a token call takes some hundred milliseconds."""


class Refreshing:
    """Brings connections to their next token pair."""

    def __init__(
        self,
        *,
        database: Database,
        store: ConnectionStore,
        log: EventLog,
        clients: dict[Provider, ProviderClient],
        unauthorized: Unauthorized,
        clock: Clock,
    ) -> None:
        self._database = database
        self._store = store
        self._log = log
        self._clients = clients
        self._unauthorized = unauthorized
        self._clock = clock

    async def refreshed(self, workspace: UUID, provider: Provider, *, beyond: int) -> Connection:
        """The connection with a token of a generation after `beyond` that will not run out soon.

        Raises:
            ConsentLost: There is no consent, or the provider no longer honours it.
            Transient: The provider or the database does not answer, the connection rests after refusals, others refresh
                for longer than a lease, or the provider is left alone after too many refusals.
        """
        await self._unauthorized.check(provider)
        me, give_up_at = uuid4(), self._clock.now() + 2 * LONGEST_LEASE
        while self._clock.now() < give_up_at:
            connection, step = await self._take_turn(workspace, provider, beyond, me)
            if step == "use":
                return connection
            if step == "wait":
                await self._clock.sleep(POLL_SECONDS)
            elif is_lease_over(connection, now=self._clock.now()):
                continue  # suspended meanwhile: another may have spent this token, and have it honoured no longer
            elif (pair := await self._ask(workspace, connection, me)) is None:
                await self._end(workspace, connection, lambda held: closed(held, "lost"))
            else:
                await self._keep(workspace, connection, pair, forced=connection.generation == beyond)
        sentence = f"{TITLES[provider]} has been asked for a new token by others for too long; trying again."
        raise Transient(sentence, retry_after_seconds=LONGEST_LEASE.total_seconds())

    async def doubt(self, workspace: UUID, seen: Connection) -> None:
        """Take in that a token was refused right after a refresh, unless the connection has moved on since.

        It rests with its tokens kept, and is lost when refusals have lasted for a day.
        """
        now = self._clock.now()
        await self._end(workspace, seen, lambda held: refused(held, now=now))

    async def still_opens(self, workspace: UUID, seen: Connection) -> bool:
        """Whether a consent still opens its account. It is lost when the provider says for certain that it does not."""
        if seen.access_token is None or await self._clients[seen.provider].opens(seen.access_token, seen.account):
            return True
        await self._end(workspace, seen, lambda held: closed(held, "lost"))
        return False

    async def _end(self, workspace: UUID, seen: Connection, after: Callable[[Connection], Connection]) -> None:
        """End a connection's work, for now or for good; when it is lost, say so in the log."""
        title = TITLES[seen.provider]
        sentence = f"{title} no longer accepts Well's access. Connect {title} again; nothing is lost meanwhile."
        async with self._database.transaction(workspace) as tx:
            connection = await self._store.connection(tx, seen.provider, hold=True)
            if connection is None or connection.generation != seen.generation or connection.state != seen.state:
                return
            ended = after(connection)
            await self._store.put_connection(tx, ended)
            if ended.state != "lost":
                return
            lost = enveloped(
                ConsentLostEvent(provider=seen.provider, sentence=sentence),
                workspace=workspace,
                record=record_of_connection(connection),
                cause=derived_id("consent-lost", connection.consent),
                occurred_at=self._clock.now(),
            )
            await self._log.append(tx, [lost])

    async def _take_turn(self, workspace: UUID, provider: Provider, beyond: int, me: UUID) -> tuple[Connection, Step]:
        now = self._clock.now()
        async with self._database.transaction(workspace) as tx:
            connection = await self._store.connection(tx, provider, hold=True)
            step = next_step(connection, now=now, beyond=beyond)
            if connection is None or step == "gone":
                title = TITLES[provider]
                raise ConsentLost(f"{title} is not connected, or no longer. Connect {title} in Well.")
            if step == "rest":
                raise _resting(connection, now)
            if step == "refresh":
                connection = leased(connection, by=me, now=now)
                await self._store.put_connection(tx, connection)
        if step == "refresh":
            crashpoint("auth.after_lease")
        return connection, step

    async def _ask(self, workspace: UUID, connection: Connection, me: UUID) -> TokenPair | None:
        client = self._clients[connection.provider]
        grace = timedelta(seconds=client.profile.refresh_grace_seconds)
        try:
            for token in refresh_tokens(connection, now=self._clock.now(), grace=grace):
                try:
                    return await client.refresh(token)
                except Rejected as refusal:
                    if refusal.code not in GRANT_IS_GONE:
                        raise
        except Transient:
            await self._release(workspace, connection, me)
            raise
        except Rejected as refusal:
            await self._release(workspace, connection, me)
            if refusal.code == CLIENT_IS_UNKNOWN:
                await self._unauthorized.note(connection.provider)
            sentence = f"{refusal.sentence} Check the client id and secret of Well at {TITLES[connection.provider]}."
            raise Transient(sentence, retry_after_seconds=REFUSED_PAUSE_SECONDS) from None
        return None

    async def _keep(self, workspace: UUID, seen: Connection, pair: TokenPair, *, forced: bool) -> None:
        crashpoint("auth.after_answer")
        async with self._database.transaction(workspace) as tx:
            connection = await self._store.connection(tx, seen.provider, hold=True)
            # Called refused meanwhile or not, the pair is kept: the provider has spent the one before.
            if connection is not None and connection.generation == seen.generation:
                kept = rotated(connection, pair, now=self._clock.now(), forced=forced)
                await self._store.put_connection(tx, kept)
                crashpoint("auth.before_kept")
        crashpoint("auth.after_kept")

    async def _release(self, workspace: UUID, seen: Connection, me: UUID) -> None:
        async with self._database.transaction(workspace) as tx:
            connection = await self._store.connection(tx, seen.provider, hold=True)
            if connection is not None and connection.refreshing_by == me:
                await self._store.put_connection(tx, unleased(connection))


def _resting(connection: Connection, now: datetime) -> Transient:
    title = TITLES[connection.provider]
    sentence = (
        f"{title} renews Well's access and then refuses it. Well tries again by itself, after growing pauses; "
        f"nothing is lost meanwhile. If {title} works otherwise, connect it again."
    )
    left_seconds = rest_left(connection, now=now).total_seconds()
    return Transient(sentence, retry_after_seconds=min(left_seconds, ASK_AGAIN_SECONDS))
