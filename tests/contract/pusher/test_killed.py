"""A pusher that is killed with the signal nothing can catch, at each named point in turn."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest

from libs.qonto.standin import running_standin
from libs.runtime.crashpoints import POSTING_POINTS
from tests.contract.pusher.stage import paper
from tests.support.postgres import PostgresFixture
from tests.support.web import web_client

ROOT = Path(__file__).parents[3]


async def _run(environment: dict[str, str]) -> int:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.contract.pusher.mortal", cwd=ROOT, env={**os.environ, **environment}
    )
    return await process.wait()


@pytest.mark.slow
async def test_killed_at_every_point_in_turn_nothing_is_lost_and_nothing_posted_twice(
    postgres: PostgresFixture, tmp_path: Path
) -> None:
    """Each life has two more bills than the one before, and the unfinished ones of all earlier lives."""
    document = tmp_path / "bill.pdf"
    document.write_bytes(paper())
    async with running_standin() as standin:
        standin.world.change_settings({"analysis_delay_seconds": 0})
        environment = {
            "MORTAL_DOCUMENT": str(document),
            "MORTAL_DSN": postgres.dsn,
            "MORTAL_QONTO": standin.url,
            "MORTAL_TOKEN": standin.token(),
            "MORTAL_WORKSPACE": str(postgres.workspace),
        }
        for lives, point in enumerate(POSTING_POINTS, start=1):
            died = await _run({**environment, "MORTAL_BILLS": str(2 * lives), "WELL_CRASH_AT": point})
            assert died == -signal.SIGKILL, point
        bills = 2 * len(POSTING_POINTS)
        assert await _run({**environment, "MORTAL_BILLS": str(bills)}) == 0
        async with web_client() as http:
            uploads = (await http.get(f"{standin.url}/_standin/uploads_by_file_name")).json()
    assert sorted(uploads.values()) == [1] * bills
