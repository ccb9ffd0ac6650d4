"""A service deletes its rows of erased workspaces, piece by piece, and nobody else's."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID, uuid4

from libs.database.forget import Forgetting
from libs.database.port import Database
from libs.database.postgres import connection_of
from tests.support.postgres import PostgresFixture

CLAIMS = "INSERT INTO matcher.claim SELECT $1, n::text, 'bill', 'matched' FROM generate_series(1, $2) AS n"


async def _claims(database: Database, workspace: UUID) -> int:
    async with database.transaction(workspace) as tx:
        return int(await connection_of(tx).fetchval("SELECT count(*) FROM matcher.claim"))


async def test_rows_go_in_pieces_each_workspace_once_and_those_of_others_stay(postgres: PostgresFixture) -> None:
    database, erased, other = await postgres.database("matcher"), [uuid4(), uuid4()], uuid4()
    for workspace in (*erased, other):
        async with database.transaction(workspace) as tx:
            await connection_of(tx).execute(CLAIMS, workspace, 7)
    besides: list[UUID] = []

    async def told() -> Sequence[UUID]:
        return erased

    async def also(workspace: UUID) -> None:
        besides.append(workspace)

    job = Forgetting("matcher", database, told, also, rows_at_once=3)
    assert [await job.step() for _ in range(3)] == [1, 1, 0]
    assert besides == erased
    assert [await _claims(database, workspace) for workspace in (*erased, other)] == [0, 0, 7]
