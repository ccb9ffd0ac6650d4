"""Counts what providers answer with 401, so that one with a limit on them is left alone before it throttles us."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from libs.contracts.errors import Transient
from libs.contracts.identity import Provider
from libs.runtime.clock import Clock
from services.auth.domain.connection import TITLES

WINDOW: Final = timedelta(hours=1)
"""Over which Qonto counts. Source: docs.qonto.com, rate limits: more than 200 answers of 401 in an hour."""

AT_MOST: Final[Mapping[Provider, int]] = {"qonto": 180}
"""Answers of 401 in an hour after which a provider is asked for nothing more. Above 200 Qonto throttles all that comes
from the address, working connections too; twenty are left for calls that were under way. Xero has no such rule."""


class Unauthorized:
    """The answers of 401 that this process has heard of: from borrowers, and at the token endpoint.

    Notes:
        Each process of auth counts what it is told. Qonto counts by address, and services commonly have several, so
        that one count over all of them is on the safe side.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._seen: dict[Provider, deque[datetime]] = {
            provider: deque(maxlen=at_most) for provider, at_most in AT_MOST.items()
        }

    def note(self, provider: Provider) -> None:
        """One more."""
        if provider in self._seen:
            self._seen[provider].append(self._clock.now())

    def check(self, provider: Provider) -> None:
        """Return when the provider may be asked.

        Raises:
            Transient: It may not yet; with the time until it may.
        """
        seen = self._seen.get(provider)
        if seen is None or seen.maxlen is None or len(seen) < seen.maxlen:
            return
        left = seen[0] + WINDOW - self._clock.now()
        if timedelta(0) < left <= WINDOW:  # more than that is left when the clock was set back
            title = TITLES[provider]
            sentence = (
                f"{title} has refused {seen.maxlen} calls of Well within an hour and would soon refuse all of them. "
                f"Well asks again when the hour is over; nothing is lost meanwhile."
            )
            raise Transient(sentence, retry_after_seconds=left.total_seconds())
