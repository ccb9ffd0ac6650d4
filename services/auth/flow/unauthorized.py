"""Counts what providers answer with 401, so that one with a limit on them is left alone before it throttles us."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from libs.contracts.errors import Transient
from libs.contracts.identity import Provider
from libs.crypto.bearer import INSTALLATION
from libs.database.port import Database
from libs.runtime.clock import Clock, is_within
from services.auth.domain.connection import TITLES
from services.auth.ports import UnauthorizedStore

WINDOW: Final = timedelta(hours=1)
"""Over which Qonto counts. Source: docs.qonto.com, rate limits: more than 200 answers of 401 in an hour."""

AT_MOST: Final[Mapping[Provider, int]] = {"qonto": 180}
"""Answers of 401 in an hour after which a provider is asked for nothing more. Above 200 Qonto throttles all that comes
from the address, working connections too; twenty are left for calls that were under way. Xero has no such rule."""

LOOK_AGAIN: Final = timedelta(seconds=5)
"""How long what other processes were told may be overlooked, so that a thousand uploads are not a thousand looks."""


class Unauthorized:
    """The answers of 401 that this installation has heard of: from borrowers, and at the token endpoint.

    Notes:
        They are counted over all processes. Qonto counts by address, and services commonly have several, or leave by
        one: one count over all of them is on the safe side.
    """

    def __init__(self, *, database: Database, store: UnauthorizedStore, clock: Clock) -> None:
        self._database = database
        self._store = store
        self._clock = clock
        self._looked: dict[Provider, tuple[datetime, datetime | None]] = {}

    async def note(self, provider: Provider) -> None:
        """One more.

        Raises:
            Transient: The database does not answer.
        """
        limit = AT_MOST.get(provider)
        if limit is None:
            return
        now = self._clock.now()
        async with self._database.transaction(INSTALLATION) as tx:
            await self._store.add_unauthorized(tx, provider, now, after=now - WINDOW, limit=limit)
        self._looked.pop(provider, None)

    async def check(self, provider: Provider) -> None:
        """Return when the provider may be asked.

        Raises:
            Transient: It may not yet, with the time until it may; or the database does not answer.
        """
        limit = AT_MOST.get(provider)
        if limit is None:
            return
        now = self._clock.now()
        looked_at, oldest = self._looked.get(provider, (None, None))
        if looked_at is None or not is_within(LOOK_AGAIN, since=looked_at, now=now):
            async with self._database.transaction(INSTALLATION) as tx:
                seen = await self._store.unauthorized(tx, provider, after=now - WINDOW, until=now)
            oldest = min(seen) if len(seen) >= limit else None
            self._looked[provider] = (now, oldest)
        if oldest is not None and is_within(WINDOW, since=oldest, now=now):
            title = TITLES[provider]
            sentence = (
                f"{title} has refused {limit} calls of Well within an hour and would soon refuse all of them. "
                f"Well asks again when the hour is over; nothing is lost meanwhile."
            )
            raise Transient(sentence, retry_after_seconds=(oldest + WINDOW - now).total_seconds())
