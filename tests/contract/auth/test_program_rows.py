"""Programs that may read, as they are kept by both forms of auth's rows."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

from services.auth.domain.program import Program
from tests.contract.auth.kept import Kept

NOON = datetime(2026, 11, 26, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def program(*, allowed_at: datetime = NOON, consent: UUID | None = None) -> Program:
    return Program(
        consent=consent or uuid4(),
        client_name="Ledger",
        redirect_host="localhost:1",
        document_host="ledger.example",
        scopes=("xero.read",),
        allowed_at=allowed_at,
        read_at=allowed_at,
    )


async def test_they_are_listed_as_they_were_allowed_and_one_that_is_unused_goes(kept: Kept) -> None:
    store, later, first, unused = kept.store, program(), program(allowed_at=NOON - DAY), program(allowed_at=NOON - DAY)
    async with (await kept.database()).transaction(uuid4()) as tx:
        assert await store.add_program(tx, unused, unused_before=NOON - DAY * 2, limit=3)
        assert await store.add_program(tx, later, unused_before=NOON - DAY * 2, limit=3)
        assert await store.add_program(tx, first, unused_before=NOON - DAY * 2, limit=3)
        assert [each.consent for each in await store.programs(tx, read_after=NOON - DAY)] == [later.consent]
        await store.mark_program_read(tx, first.consent, NOON)
        assert [each.consent for each in await store.programs(tx, read_after=NOON - DAY)] == [
            first.consent,
            later.consent,
        ]
        assert not await store.add_program(tx, program(), unused_before=NOON - DAY * 2, limit=3)
        third = program(allowed_at=NOON + DAY)
        assert await store.add_program(tx, third, unused_before=NOON - DAY, limit=3)
        assert await store.program_read_at(tx, unused.consent) is None
        assert (await store.programs(tx, read_after=NOON - DAY * 9))[1:] == [later, third]


async def test_one_is_marked_and_ended_for_itself_and_its_own_workspace(kept: Kept) -> None:
    store, database, mine, same = kept.store, await kept.database(), uuid4(), program()
    other, theirs = program(), uuid4()
    for workspace, each in ((mine, same), (mine, other), (theirs, same)):
        async with database.transaction(workspace) as tx:
            assert await store.add_program(tx, each, unused_before=NOON - DAY, limit=2)
    async with database.transaction(mine) as tx:
        await store.mark_program_read(tx, same.consent, NOON + DAY)
        assert await store.program_read_at(tx, same.consent) == NOON + DAY
        assert await store.program_read_at(tx, other.consent) == NOON
        assert await store.end_program(tx, same.consent)
        assert not await store.end_program(tx, same.consent)
        assert await store.programs(tx, read_after=NOON - DAY) == [other]
    async with database.transaction(theirs) as tx:
        assert await store.programs(tx, read_after=NOON - DAY) == [same]
