"""Answers of 401 as they are kept, by both forms of auth's rows."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from libs.crypto.bearer import INSTALLATION
from tests.contract.auth.kept import Kept

NOON = datetime(2026, 11, 26, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


async def test_they_are_counted_within_a_window_up_to_a_limit_and_old_ones_go(kept: Kept) -> None:
    store = kept.store
    async with (await kept.database()).transaction(INSTALLATION) as tx:
        for minute in range(5):
            at = NOON + minute * MINUTE
            await store.add_unauthorized(tx, "qonto", at, after=at - 3 * MINUTE, limit=2)
        await store.add_unauthorized(tx, "xero", NOON, after=NOON - MINUTE, limit=2)
        seen = await store.unauthorized(tx, "qonto", after=NOON - MINUTE, until=NOON + 5 * MINUTE)
        assert sorted(seen) == [NOON + minute * MINUTE for minute in (3, 4)]
        assert await store.unauthorized(tx, "xero", after=NOON - MINUTE, until=NOON) == [NOON]
        assert await store.unauthorized(tx, "xero", after=NOON, until=NOON + MINUTE) == []


async def test_those_of_a_clock_that_was_ahead_count_for_nothing_until_their_time(kept: Kept) -> None:
    store, ahead = kept.store, NOON + timedelta(days=1)
    async with (await kept.database()).transaction(INSTALLATION) as tx:
        for _ in range(2):
            await store.add_unauthorized(tx, "qonto", ahead, after=ahead - MINUTE, limit=2)
        await store.add_unauthorized(tx, "qonto", NOON, after=NOON - MINUTE, limit=2)
        assert await store.unauthorized(tx, "qonto", after=NOON - MINUTE, until=NOON) == [NOON]
        assert await store.unauthorized(tx, "qonto", after=ahead - MINUTE, until=ahead) == [ahead] * 2
