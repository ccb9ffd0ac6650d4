"""Where pulls and documents are due, over all workspaces, as the role that carries logs sees it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from uuid import UUID, uuid4

import asyncpg
import pytest

from libs.contracts.events import RecordPulled
from libs.contracts.identity import record_of
from libs.database.postgres import open_pool
from libs.database.roles import RELAY
from services.ingest.adapters.memory_providers import MemoryProvider
from services.ingest.adapters.postgres import PostgresStore
from services.ingest.adapters.postgres_due import documents_due, pulls_due
from services.ingest.domain.kept import DocumentJob, first_pull
from tests.contract.ingest.conftest import NOW, Kept
from tests.support.postgres import PostgresFixture

LONGEST_SECONDS = 900.0


@pytest.mark.parametrize(
    ("wait", "due"),
    [
        (timedelta(seconds=-1), True),
        (timedelta(), True),
        (timedelta(seconds=1), False),
        (timedelta(seconds=LONGEST_SECONDS), False),
        (timedelta(seconds=LONGEST_SECONDS + 1), True),  # put off by a clock that has gone back since
    ],
    ids=str,
)
async def test_a_pull_is_due_at_its_instant_or_when_it_was_never_made(
    postgres: PostgresFixture, wait: timedelta, *, due: bool
) -> None:
    database, fresh = await postgres.database("ingest"), uuid4()
    async with database.transaction(postgres.workspace) as tx:
        await PostgresStore().pulls.put(tx, replace(first_pull("xero", NOW), due_at=NOW + wait))
    pool = await open_pool(postgres.dsn, role=RELAY, connections=1)
    asked = [postgres.workspace, fresh]
    found = await pulls_due(pool, "xero", longest_seconds=LONGEST_SECONDS)(asked, NOW)
    other = await pulls_due(pool, "qonto", longest_seconds=LONGEST_SECONDS)(asked, NOW)
    await pool.close()
    assert set(found) == ({postgres.workspace, fresh} if due else {fresh})
    assert set(other) == {postgres.workspace, fresh}


async def test_documents_are_due_where_one_waits_whose_instant_has_come(postgres: PostgresFixture) -> None:
    database, later = await postgres.database("ingest"), uuid4()
    for workspace, wait in ((postgres.workspace, 0), (later, 60)):
        job = DocumentJob(record_of("xero", "bill", "b"), 1, uuid4(), NOW + timedelta(seconds=wait), 0)
        async with database.transaction(workspace) as tx:
            await PostgresStore().jobs.ask(tx, [job])
    pool = await open_pool(postgres.dsn, role=RELAY, connections=1)
    found: list[UUID] = await documents_due(pool)([postgres.workspace, later, uuid4()], NOW)
    await pool.close()
    assert found == [postgres.workspace]


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT access_token FROM auth.connection",
        "SELECT sentence FROM ingest.pull",
        "SELECT record FROM ingest.document_job",
        "SELECT bill_id FROM matcher.bill",
        "SELECT sealed FROM pusher.posting",
    ],
)
async def test_the_role_that_sees_when_jobs_are_due_sees_nothing_else_of_them(
    postgres: PostgresFixture, statement: str
) -> None:
    pool = await open_pool(postgres.dsn, role=RELAY, connections=1)
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await pool.fetch(statement)
    await pool.close()


async def test_a_clock_that_has_gone_back_lets_no_pull_wait_until_it_has_caught_up(kept: Kept) -> None:
    puller, year = kept.puller("xero", MemoryProvider()), timedelta(days=365).total_seconds()
    kept.clock.advance(year)
    assert await puller.step() + await puller.step() == 2
    assert await puller.step() == 0
    kept.clock.advance(-year)
    assert await puller.step() == 1


async def test_what_changed_while_the_clock_was_ahead_is_read_once_it_is_set_right(kept: Kept) -> None:
    xero = MemoryProvider()
    puller, ahead = kept.puller("xero", xero), timedelta(days=2).total_seconds()
    kept.clock.advance(ahead)
    assert await puller.step() + await puller.step() == 2
    xero.change(kept.workspace, "contact", "c-1", {"ContactID": "c-1"}, at=NOW + timedelta(minutes=1))
    kept.clock.advance(3600 - ahead)
    assert await puller.step() + await puller.step() == 2
    assert [event.record for event in await kept.events() if isinstance(event.payload, RecordPulled)] == [
        record_of("xero", "contact", "c-1")
    ]
