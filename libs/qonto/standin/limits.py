"""Qonto's limits of calls, counted for real. Source: docs.qonto.com, "Rate limits"."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Final

from libs.qonto.standin.settings import Settings

TEN_SECONDS: Final = 10.0
TEN_MINUTES: Final = 600.0
HOUR: Final = 3600.0
"""Seconds of the windows in which Qonto counts."""

ADDRESSES_MAX: Final = 1_000
"""Addresses remembered; the one heard of first is forgotten above that. Callers here are on one machine."""


@dataclass
class _Caller:
    calls: deque[float] = field(default_factory=deque)
    unauthorized: deque[float] = field(default_factory=deque)


class Limits:
    """Counts the calls and the answers of 401 of each address over sliding windows."""

    def __init__(self) -> None:
        self._callers: dict[str, _Caller] = {}

    def wait_seconds(self, address: str, now: float, settings: Settings) -> float | None:
        """How long this address must wait, or None when its call counts and may pass.

        Args:
            address: Whose call it is.
            now: Seconds since any fixed instant, by the stand-in's clock.
            settings: The limits.
        """
        caller = self._of(address)
        _forget(caller.calls, now - TEN_MINUTES)
        _forget(caller.unauthorized, now - HOUR)
        waits = [
            _wait(caller.calls, settings.calls_per_10_seconds, TEN_SECONDS, now),
            _wait(caller.calls, settings.calls_per_10_minutes, TEN_MINUTES, now),
            _wait(caller.unauthorized, settings.unauthorized_per_hour + 1, HOUR, now),
        ]
        longest = max(waits)
        if longest > 0:
            return longest
        caller.calls.append(now)
        return None

    def saw_unauthorized(self, address: str, now: float) -> None:
        """Note an answer of 401."""
        self._of(address).unauthorized.append(now)

    def _of(self, address: str) -> _Caller:
        caller = self._callers.get(address)
        if caller is None:
            if len(self._callers) >= ADDRESSES_MAX:
                del self._callers[next(iter(self._callers))]
            caller = self._callers[address] = _Caller()
        return caller


def _wait(instants: deque[float], allowed: int, window_seconds: float, now: float) -> float:
    """Seconds until fewer than `allowed` instants lie within the window; 0 when that is so already."""
    if len(instants) < allowed:
        return 0.0
    return max(0.0, instants[-allowed] + window_seconds - now)


def _forget(instants: deque[float], before: float) -> None:
    while instants and instants[0] <= before:
        instants.popleft()
