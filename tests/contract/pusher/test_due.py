"""Where postings are due, over all workspaces, as the role that carries logs sees it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest

from libs.database.postgres import open_pool
from libs.database.roles import RELAY
from services.pusher.adapters.postgres import PostgresStore
from services.pusher.adapters.postgres_due import postings_due
from services.pusher.domain.posting import State
from services.pusher.domain.retrying import LONGEST_WAIT_SECONDS
from tests.support.postgres import PostgresFixture
from tests.unit.pusher.stories import NOW, posting


@pytest.mark.parametrize(
    ("wait_seconds", "due"),
    [
        (0, True),
        (1, False),
        (LONGEST_WAIT_SECONDS, False),
        (LONGEST_WAIT_SECONDS + 1, True),  # put off by a clock that has gone back since
    ],
)
async def test_postings_are_due_where_one_waits_whose_instant_has_come(
    postgres: PostgresFixture, wait_seconds: int, *, due: bool
) -> None:
    database = await postgres.database("pusher")
    async with database.transaction(postgres.workspace) as tx:
        waits = replace(posting(State.SENT), due_at=NOW + timedelta(seconds=wait_seconds))
        await PostgresStore(postgres.sealer).add(tx, [waits])
    pool = await open_pool(postgres.dsn, role=RELAY, connections=1)
    found = await postings_due(pool, {State.SENT, State.UNKNOWN})([postgres.workspace, uuid4()], NOW)
    other = await postings_due(pool, {State.INTENDED})([postgres.workspace], NOW)
    await pool.close()
    assert (found, other) == ([postgres.workspace] if due else [], [])
