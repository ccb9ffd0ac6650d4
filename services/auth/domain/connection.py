"""A connection: the consent of a workspace at a provider, its tokens, and what to do with them next. Pure.

```
        granted            refresh refused            granted
 none ---------> active --------------------> lost -----------> active
                   |  disconnected through Well
                   '-----------------------------> revoked ---> active
```
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final, Literal
from uuid import UUID

from libs.contracts.identity import Provider

ConnectionState = Literal["none", "active", "lost", "revoked"]

TITLES: Final[dict[Provider, str]] = {"xero": "Xero", "qonto": "Qonto"}
"""The providers' names for people."""

REFRESH_BELOW: Final = timedelta(seconds=120)
"""A token with less left is refreshed before it is lent: longer than the slowest call made with one, an upload of
10 MB; and Qonto throttles clients that run into 401. Source: docs.qonto.com, OAuth, "opt for a proactive refresh"."""

LEASE: Final = timedelta(seconds=25)
"""How long one borrower may take over a refresh before another tries. Two token calls of at most 10 s fit in; and it
ends well before Qonto's grace of 60 s, so that who takes over after a crash can still use the token that was spent."""

REFUSED_AGAIN: Final = timedelta(minutes=10)
"""A token refused within this time of a refresh that a refusal forced: the grant itself is refused, and refreshing once
more would only turn in circles."""

UNKNOWN_ACCOUNT: Final = "unknown"
"""The account of a consent whose scopes do not let us ask."""


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
    """A consent with its tokens. `generation` counts token pairs over all consents and never falls."""

    provider: Provider
    state: Literal["active", "lost", "revoked"]
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
    refreshing_by: UUID | None = None
    refreshing_until: datetime | None = None


def is_another(before: Account, now: Account) -> bool:
    """Whether a consent opens another account than the one before, as far as both are known."""
    return before.id != now.id and UNKNOWN_ACCOUNT not in {before.id, now.id}


Step = Literal["use", "refresh", "wait", "gone"]


def next_step(connection: Connection | None, *, now: datetime, beyond: int) -> Step:
    """What somebody who wants a token newer than generation `beyond` must do."""
    if connection is None or connection.state != "active":
        return "gone"
    if connection.generation > beyond and connection.expires_at - now >= REFRESH_BELOW:
        return "use"
    if connection.refreshing_until is not None and connection.refreshing_until > now:
        return "wait"
    return "refresh"


def leased(connection: Connection, *, by: UUID, now: datetime) -> Connection:
    """The connection while one borrower asks for its next token pair."""
    return replace(connection, refreshing_by=by, refreshing_until=now + LEASE)


def unleased(connection: Connection) -> Connection:
    """The connection after a refresh that brought nothing."""
    return replace(connection, refreshing_by=None, refreshing_until=None)


def rotated(connection: Connection, pair: TokenPair, *, now: datetime, forced: bool) -> Connection:
    """The connection with its next token pair. The spent refresh token stays, for the provider's grace."""
    return replace(
        unleased(connection),
        generation=connection.generation + 1,
        access_token=pair.access,
        refresh_token=pair.refresh or connection.refresh_token,
        previous_refresh_token=connection.refresh_token if pair.refresh else connection.previous_refresh_token,
        expires_at=pair.expires_at,
        rotated_at=now,
        refusal_at=now if forced else connection.refusal_at,
    )


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


def refused_for_good(connection: Connection, *, now: datetime) -> bool:
    """Whether a refusal of the current token cannot be mended by refreshing it."""
    return connection.refusal_at is not None and now - connection.refusal_at < REFUSED_AGAIN


def refresh_tokens(connection: Connection, *, now: datetime, grace: timedelta) -> tuple[str, ...]:
    """The refresh tokens worth presenting, best first: the current one, and the one before within the grace."""
    tokens = [connection.refresh_token]
    if now - connection.rotated_at < grace:
        tokens.append(connection.previous_refresh_token)
    return tuple(token for token in tokens if token is not None)


def record_of_connection(connection: Connection) -> str:
    """The name under which a connection's events stand in order: `xero/connection/6b1d...`."""
    return f"{connection.provider}/connection/{connection.account.id}"
