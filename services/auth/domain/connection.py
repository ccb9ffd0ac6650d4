"""A connection: the consent of a workspace at a provider, its tokens, and what to do with them next. Pure.

```
         granted           renewal refused            granted
 none ------------> active ----------------> lost -------------> active
                     |  ^                     ^
  a fresh token      |  | tried again         | after a day
  is refused too     v  |                     |
                    refused ------------------'

 active, refused or lost --- disconnected through Well ---> revoked --- granted ---> active
```

That the provider's authorization server refuses to renew a grant proves that it is gone; that its API refuses a fresh
token proves nothing: an outage, a clock or a cache on their side does it too. So a refused connection keeps its tokens
and is tried again after growing pauses, each time with a token renewed just then.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final, Literal
from uuid import UUID

from libs.contracts.errors import Rejected
from libs.contracts.identity import UNKNOWN_ACCOUNT, Provider, is_another_account

ConnectionState = Literal["none", "active", "refused", "lost", "revoked"]

TITLES: Final[dict[Provider, str]] = {"xero": "Xero", "qonto": "Qonto"}
"""The providers' names for people."""

REFRESH_BELOW: Final = timedelta(seconds=120)
"""A token with less left is refreshed before it is lent: longer than the slowest call made with one, an upload of
10 MB; and Qonto throttles clients that run into 401. Source: docs.qonto.com, OAuth, "opt for a proactive refresh"."""

LEASE: Final = timedelta(seconds=25)
"""How long one borrower may take over a refresh before another tries. Two token calls of at most 10 s fit in; and it
ends well before Qonto's grace of 60 s, so that who takes over after a crash can still use the token that was spent."""

LONGEST_LEASE: Final = LEASE + timedelta(seconds=30)
"""The most that a lease can have left by a clock that is 30 s behind the one it was written by. One with more left was
written by a clock that has been set back since, and is not believed: it would outlast the provider's grace. This one
still ends within Qonto's 60 s."""

REFUSED_AGAIN: Final = timedelta(minutes=10)
"""A token refused within this time of a refresh that a refusal forced: refreshing once more would only turn in circles,
so that the connection rests first."""

SHORTEST_REST: Final = timedelta(minutes=1)
"""The first rest of a refused connection; each one after it is as long as it has been refused already."""

LONGEST_REST: Final = timedelta(hours=1)
"""No rest is longer, so that an outage is over for us an hour after it is over at the latest. One refusal an hour keeps
150 workspaces below the 200 an hour at which Qonto throttles an address. Source: docs.qonto.com, rate limits."""

REFUSED_FOR_GOOD: Final = timedelta(hours=24)
"""A connection refused for so long is lost: outages are shorter, and a person has to know by then."""

_OTHER_ACCOUNT: Final = (
    "This workspace belongs to another {title} organisation, and what was read and posted there stays with it. "
    "Nothing was changed. Connect this organisation in a workspace of its own."
)


@dataclass(frozen=True)
class TokenPair:
    """What a provider's token endpoint gave. `refresh` is None when it kept the one it was asked with."""

    access: str = field(repr=False)
    refresh: str | None = field(repr=False)
    expires_at: datetime
    scopes: tuple[str, ...]


@dataclass(frozen=True)
class Account:
    """What a consent opens: Xero's tenant or Qonto's organization, and the name a person knows it by."""

    id: str
    name: str


@dataclass(frozen=True)
class Connection:
    """A consent with its tokens.

    Attributes:
        generation: Counts token pairs over all consents and never falls.
        refusal_at: When a refusal last forced a refresh.
        refused_since: When fresh tokens began to be refused; kept while it is tried again.
        refused_until: Until when a refused connection rests.
        refreshing_by, refreshing_until: Who asks for the next pair, and for how long that is believed.
    """

    provider: Provider
    state: Literal["active", "refused", "lost", "revoked"]
    consent: UUID
    account: Account
    scopes: tuple[str, ...]
    generation: int
    expires_at: datetime
    rotated_at: datetime
    access_token: str | None = field(repr=False, default=None)
    refresh_token: str | None = field(repr=False, default=None)
    previous_refresh_token: str | None = field(repr=False, default=None)
    refusal_at: datetime | None = None
    refused_since: datetime | None = None
    refused_until: datetime | None = None
    refreshing_by: UUID | None = None
    refreshing_until: datetime | None = None


def eligible(accounts: Sequence[Account], before: Account | None, provider: Provider) -> Sequence[Account]:
    """The accounts that a workspace may be connected to by a consent; of several, a person chooses.

    It stays the one the workspace had before, if there was one: how far that was read, and what was posted to it, would
    be taken for another's. An account that the provider does not name is taken for that one, under no name: were it
    forgotten, any other could follow it.

    Args:
        accounts: Those that the consent may mean.
        before: The workspace's account so far.
        provider: Whose accounts they are.

    Raises:
        Rejected: `no_organisation` when there is none; `another_account` when there are only others than the one
            before.
    """
    title = TITLES[provider]
    if not accounts:
        sentence = f"No organisation was chosen at {title}. Start again and choose one."
        raise Rejected(sentence, code="no_organisation")
    if before is not None:
        accounts = [
            Account(before.id, account.name) if account.id == UNKNOWN_ACCOUNT else account
            for account in accounts
            if not is_another_account(before.id, account.id)
        ]
    if not accounts:
        raise Rejected(_OTHER_ACCOUNT.format(title=title), code="another_account")
    return accounts


Step = Literal["use", "refresh", "wait", "rest", "gone"]


def next_step(connection: Connection | None, *, now: datetime, beyond: int) -> Step:
    """What somebody who wants a token newer than generation `beyond` must do."""
    if connection is None or connection.state in {"lost", "revoked"}:
        return "gone"
    if rest_left(connection, now=now):
        return "rest"
    fresh = connection.state == "active" and connection.expires_at - now >= REFRESH_BELOW
    if fresh and connection.generation > beyond:
        return "use"
    until = connection.refreshing_until
    believed = until is not None and timedelta(0) < until - now <= LONGEST_LEASE
    return "wait" if believed else "refresh"


def rest_left(connection: Connection, *, now: datetime) -> timedelta:
    """How long a refused connection still rests: never longer than the longest rest, should the clock be set back."""
    if connection.state != "refused" or connection.refused_until is None:
        return timedelta(0)
    return min(max(connection.refused_until - now, timedelta(0)), LONGEST_REST)


def leased(connection: Connection, *, by: UUID, now: datetime) -> Connection:
    """The connection while one borrower asks for its next token pair."""
    return replace(connection, refreshing_by=by, refreshing_until=now + LEASE)


def is_lease_over(connection: Connection, *, now: datetime) -> bool:
    """Whether who holds the connection's lease may not begin to ask any more."""
    return connection.refreshing_until is None or now >= connection.refreshing_until


def unleased(connection: Connection) -> Connection:
    """The connection after a refresh that brought nothing."""
    return replace(connection, refreshing_by=None, refreshing_until=None)


def rotated(connection: Connection, pair: TokenPair, *, now: datetime, forced: bool) -> Connection:
    """The connection with its next token pair. The spent refresh token stays, for the provider's grace.

    `forced` says that a refusal asked for it, and not the token's age. A refused connection is active again, on trial:
    it still knows since when it was refused.
    """
    forced = forced or connection.state == "refused"
    return replace(
        unleased(connection),
        state="active",
        generation=connection.generation + 1,
        access_token=pair.access,
        refresh_token=pair.refresh or connection.refresh_token,
        previous_refresh_token=connection.refresh_token if pair.refresh else connection.previous_refresh_token,
        expires_at=pair.expires_at,
        rotated_at=now,
        refusal_at=now if forced else connection.refusal_at,
        refused_since=None if forced and connection.state == "active" else connection.refused_since,
        refused_until=None,
    )


def is_refused_again(connection: Connection, *, now: datetime) -> bool:
    """Whether a refusal of the current token follows so soon on a forced refresh that another one would not help."""
    return connection.refusal_at is not None and timedelta(0) <= now - connection.refusal_at < REFUSED_AGAIN


def refused(connection: Connection, *, now: datetime) -> Connection:
    """The connection after a fresh token was refused too: it keeps its tokens, and rests or is lost."""
    since = min(connection.refused_since or now, now)  # a clock that was ahead puts off no loss
    if now - since >= REFUSED_FOR_GOOD:
        return replace(unleased(connection), state="lost", generation=connection.generation + 1)
    rest = min(max(now - since, SHORTEST_REST), LONGEST_REST)
    return replace(unleased(connection), state="refused", refused_since=since, refused_until=now + rest)


def closed(connection: Connection, state: Literal["lost", "revoked"]) -> Connection:
    """The connection without its tokens: they open nothing any more."""
    return replace(
        unleased(connection),
        state=state,
        generation=connection.generation + 1,
        access_token=None,
        refresh_token=None,
        previous_refresh_token=None,
    )


def refresh_tokens(connection: Connection, *, now: datetime, grace: timedelta) -> tuple[str, ...]:
    """The refresh tokens worth presenting, best first: the current one, and the one before within the grace."""
    tokens = [connection.refresh_token]
    if now - connection.rotated_at < grace:
        tokens.append(connection.previous_refresh_token)
    return tuple(token for token in tokens if token is not None)


def record_of_connection(connection: Connection) -> str:
    """The name under which a connection's events stand in order: `xero/connection/6b1d...`."""
    return f"{connection.provider}/connection/{connection.account.id}"
