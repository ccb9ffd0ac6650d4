"""A provider that knows of every refresh token whether it would honour it, and answers as it was told to.

It is as strict as providers get: a refresh token that comes again after its grace ends the whole grant, since it may
have been stolen. Source: RFC 9700, section 4.14.2; Ory Hydra, "Token reuse detection".
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from typing import Literal
from urllib.parse import urlencode

from libs.contracts.errors import ConsentLost, Rejected, Transient
from libs.contracts.identity import Provider
from services.auth.domain.connection import Account, Connection, TokenPair
from services.auth.ports import ProviderProfile

Mood = Literal["down", "answer_lost", "our_secret_is_wrong", "held_before", "held_after", "held_down"]
"""How a token call goes: nothing reaches it; the answer does not reach us; it refuses us and not the grant; it waits
before it does anything; it has done it, and the answer is on its way; we wait, and nothing reached it."""


@dataclass
class TrueTime:
    """What time it is, whatever our clock says."""

    now: datetime


@dataclass
class SkewedClock:
    """Our clock: off by `skew` from the true time, and never waiting for real."""

    true: TrueTime
    skew: timedelta = timedelta()

    def now(self) -> datetime:
        """What we believe."""
        return self.true.now + self.skew

    async def sleep(self, seconds: float) -> None:
        """Let so much time pass at once, or a second, whichever is longer, and let other tasks run."""
        self.true.now += timedelta(seconds=max(seconds, 1.0))
        await asyncio.sleep(0)


@dataclass
class RefreshToken:
    """A refresh token as the provider knows it."""

    grant: int
    ends: datetime
    first_used: datetime | None = None
    answered: bool = False


@dataclass
class Kind:
    """The lifetimes of one provider."""

    provider: Provider
    access: timedelta
    refresh: timedelta
    grace: timedelta


KINDS = {
    "xero": Kind("xero", timedelta(minutes=30), timedelta(days=60), timedelta(minutes=30)),
    "qonto": Kind("qonto", timedelta(hours=1), timedelta(days=90), timedelta(seconds=60)),
}
"""Sources: developer.xero.com, token types; docs.qonto.com, OAuth, token lifetimes and refresh tokens."""


@dataclass
class StrictProvider:
    """One provider with one account, as auth's port has it.

    Attributes:
        moods: How the next token calls go; when there are no more, well.
        held: Calls that wait, each for its event.
        somebody_waits: Set when a call begins to.
        came_too_late: Refresh tokens that were presented after their grace.
    """

    kind: Kind
    clock: SkewedClock
    moods: deque[Mood] = field(default_factory=deque)
    held: list[asyncio.Event] = field(default_factory=list)
    somebody_waits: asyncio.Event = field(default_factory=asyncio.Event)
    came_too_late: list[str] = field(default_factory=list)
    tokens: dict[str, RefreshToken] = field(default_factory=dict)
    access_tokens: dict[str, datetime] = field(default_factory=dict)
    ended: set[int] = field(default_factory=set)
    _numbers: count[int] = field(default_factory=lambda: count(1))

    @property
    def time(self) -> TrueTime:
        """The time that it goes by."""
        return self.clock.true

    @property
    def profile(self) -> ProviderProfile:
        """What is fixed about it."""
        return ProviderProfile(self.kind.provider, ("read",), self.kind.grace.total_seconds())

    def honours(self, token: str) -> bool:
        """Whether it would renew the grant for this refresh token now."""
        known = self.tokens[token]
        late = known.first_used is not None and self.time.now >= known.first_used + self.kind.grace
        return known.grant not in self.ended and self.time.now < known.ends and not late

    def revoke_everything(self) -> None:
        """The person takes back all grants at the provider."""
        self.ended |= {known.grant for known in self.tokens.values()}

    def authorize_url(self, *, state: str, challenge: str, scopes: Sequence[str]) -> str:
        """The address that says yes at once."""
        assert scopes == ("read",)
        return f"https://provider.example/?{urlencode({'state': state, 'challenge': challenge})}"

    def is_issuer(self, named: str) -> bool:
        """By one name."""
        return named == "https://provider.example"

    async def exchange(self, *, code: str, verifier: str, scopes: Sequence[str]) -> TokenPair:
        """The first pair of a new grant."""
        assert scopes == ("read",)
        assert code
        assert verifier
        return self._issue(next(self._numbers))

    async def refresh(self, refresh_token: str) -> TokenPair:
        """The next pair, in the mood that is due."""
        mood = self.moods.popleft() if self.moods else None
        if mood == "down":
            raise Transient("The provider did not answer.")
        if mood == "our_secret_is_wrong":
            raise Rejected("The provider refused us.", code="invalid_client")
        if mood in {"held_before", "held_down"}:
            await self._hold()
        if mood == "held_down":
            raise Transient("The provider did not answer in time.")
        pair = self._rotate(refresh_token)
        if mood == "answer_lost":
            raise Transient("The provider's answer was lost.")
        if mood == "held_after":
            await self._hold()
        self.tokens[refresh_token].answered = True
        return pair

    async def accounts(self, pair: TokenPair) -> Sequence[Account]:
        """The one account."""
        assert pair.access in self.access_tokens
        return [Account("account", "Maison Tilleul")]

    async def opens(self, access_token: str, account: Account) -> bool:
        """As long as the token is good."""
        return account.id == "account" and self.time.now < self.access_tokens[access_token]

    async def end(self, connection: Connection) -> None:
        """End the grant, for whoever shows a token that it honours."""
        assert connection.access_token is not None
        assert connection.refresh_token is not None
        grant = self.tokens[connection.refresh_token].grant
        if grant in self.ended or self.access_tokens[connection.access_token] <= self.time.now:
            raise ConsentLost("The provider does not honour this token.")
        self.ended.add(grant)

    async def _hold(self) -> None:
        self.held.append(asyncio.Event())
        self.somebody_waits.set()
        await self.held[-1].wait()

    def _rotate(self, token: str) -> TokenPair:
        if not self.honours(token):
            known = self.tokens[token]
            if known.grant not in self.ended and known.first_used is not None:
                self.came_too_late.append(token)
            self.ended.add(known.grant)
            raise Rejected("The provider no longer renews this grant.", code="invalid_grant")
        known = self.tokens[token]
        known.first_used = known.first_used or self.time.now
        return self._issue(known.grant)

    def _issue(self, grant: int) -> TokenPair:
        number = next(self._numbers)
        access, refresh = f"access-{number}", f"refresh-{number}"
        self.access_tokens[access] = self.time.now + self.kind.access
        self.tokens[refresh] = RefreshToken(grant, self.time.now + self.kind.refresh)
        # It says how long a token lives, and who asked adds that to a clock of its own.
        return TokenPair(access, refresh, self.clock.now() + self.kind.access, ("read",))
