"""The table of windows stays small, however many windows go by."""

from __future__ import annotations

from libs.contracts.identity import BUCKETS
from services.matcher.ports import Barrier
from tests.support.matching import open_workspace
from tests.support.postgres import PostgresFixture


async def test_windows_behind_a_complete_one_leave_no_rows(postgres: PostgresFixture) -> None:
    workspace = await open_workspace(postgres)
    windows = workspace.stores.windows
    for number in range(3):
        async with workspace.database.transaction(workspace.id) as tx:
            await windows.see(tx, [Barrier("xero", f"xero/{number}", bucket) for bucket in range(BUCKETS)])
            await windows.see(tx, [Barrier("qonto", "qonto/1", number)])
    async with workspace.database.transaction(workspace.id) as tx:
        assert await windows.complete(tx) == {"xero"}
    rows = await (await postgres.admin()).fetch("SELECT provider, window_name FROM matcher.window_seen ORDER BY 1")
    assert [tuple(row) for row in rows] == [("qonto", "qonto/1"), ("xero", "xero/0")]
