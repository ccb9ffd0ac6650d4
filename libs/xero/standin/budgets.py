"""Xero's limits on calls, in fixed windows. Pure: the time comes in with each call.

A window opens with the first call after the previous one closed. It lives in memory: a restarted stand-in has full
budgets, which is more than Xero would give.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Final

from libs.xero.standin.settings import Limits

MINUTE_SECONDS: Final = 60.0
DAY_SECONDS: Final = 86_400.0
"""Seconds of the windows in which Xero counts."""


@dataclass
class Window:
    """Calls counted since `opened_at`, in seconds of any clock."""

    length_seconds: float
    opened_at: float = -math.inf
    calls: int = 0

    def used(self, now: float) -> int:
        """Calls in the window that is open at `now`."""
        return self.calls if now < self.opened_at + self.length_seconds else 0

    def count(self, now: float) -> None:
        """One more call."""
        if now >= self.opened_at + self.length_seconds:
            self.opened_at, self.calls = now, 0
        self.calls += 1

    def closes_in(self, now: float) -> int:
        """Whole seconds until the window closes, at least one."""
        return max(1, math.ceil(self.opened_at + self.length_seconds - now))


@dataclass(frozen=True)
class Exceeded:
    """Which limit is used up, in Xero's word, and when to come back; Xero promises that for minute and day."""

    problem: str
    retry_after_seconds: int | None


@dataclass
class _Tenant:
    minute: Window = field(default_factory=lambda: Window(MINUTE_SECONDS))
    day: Window = field(default_factory=lambda: Window(DAY_SECONDS))
    in_flight: int = 0


class Budgets:
    """Counts the calls of the app to each organisation."""

    def __init__(self) -> None:
        self._tenants: dict[str, _Tenant] = {}
        self._app = Window(MINUTE_SECONDS)

    def enter(self, tenant_id: str, limits: Limits, now: float) -> Exceeded | None:
        """Count a call that begins; when a limit forbids it, say which and count nothing."""
        tenant = self._tenants.setdefault(tenant_id, _Tenant())
        if self._app.used(now) >= limits.app_minute:
            return Exceeded("appminute", None)
        if tenant.day.used(now) >= limits.day:
            return Exceeded("day", tenant.day.closes_in(now))
        if tenant.minute.used(now) >= limits.minute:
            return Exceeded("minute", tenant.minute.closes_in(now))
        if tenant.in_flight >= limits.concurrent:
            return Exceeded("concurrent", None)
        for window in (self._app, tenant.day, tenant.minute):
            window.count(now)
        tenant.in_flight += 1
        return None

    def leave(self, tenant_id: str) -> None:
        """A call that `enter` let in has ended."""
        tenant = self._tenants.get(tenant_id)
        if tenant is not None and tenant.in_flight > 0:
            tenant.in_flight -= 1

    def headers(self, tenant_id: str, limits: Limits, now: float) -> dict[str, str]:
        """What is left, in the headers every answer of Xero has."""
        tenant = self._tenants.get(tenant_id) or _Tenant()
        return {
            "X-DayLimit-Remaining": str(max(0, limits.day - tenant.day.used(now))),
            "X-MinLimit-Remaining": str(max(0, limits.minute - tenant.minute.used(now))),
            "X-AppMinLimit-Remaining": str(max(0, limits.app_minute - self._app.used(now))),
        }

    def forget(self) -> None:
        """Open every window anew."""
        self._tenants.clear()
        self._app = Window(MINUTE_SECONDS)
