"""An installation's folder: one process at a time, ports that come back, and a memory that is whole or not there."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from libs.contracts.errors import Rejected
from libs.database.space import refuse_full
from libs.runtime.listen import bound_socket, port_of
from well.home import Installation

_REPOSITORY = Path(__file__).parents[3]


@pytest.fixture
def installation(tmp_path: Path) -> Installation:
    made = Installation(tmp_path / "live")
    made.make()
    return made


def _well(code: str, home: Path | None, **more: str) -> subprocess.CompletedProcess[str]:
    """Run code of ours in a process whose WELL_HOME is `home`; it is read from the environment alone."""
    environment = {name: value for name, value in os.environ.items() if name != "WELL_HOME"}
    if home is not None:
        environment["WELL_HOME"] = str(home)
    return subprocess.run(
        [sys.executable, "-c", code],
        env={**environment, **more},
        cwd=_REPOSITORY,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def test_a_second_holder_is_refused_until_the_first_lets_go(installation: Installation) -> None:
    with installation.locked():
        with pytest.raises(Rejected, match="stop it first") as refused, installation.locked():
            pass
        assert refused.value.code == "running_already"
    with installation.locked():
        pass


def test_a_killed_process_lets_go(installation: Installation) -> None:
    holds = (
        "import sys\nfrom pathlib import Path\nfrom well.home import Installation\n"
        "with Installation(Path(sys.argv[1])).locked():\n    print('held', flush=True)\n    sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", holds, str(installation.folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=_REPOSITORY,
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(Rejected), installation.locked():
            pass
        holder.send_signal(signal.SIGKILL)
        holder.wait()
    with installation.locked():
        pass


def test_a_port_comes_back(installation: Installation) -> None:
    port = installation.port("auth")
    assert Installation(installation.folder).port("auth") == port
    assert installation.remembered_port("auth") == port


def test_a_port_that_another_has_now_is_replaced_and_remembered(installation: Installation) -> None:
    with bound_socket() as taken:
        taken.listen()
        installation.remember_port("auth", port_of(taken))
        other = installation.port("auth")
        assert other != port_of(taken)
        assert installation.remembered_port("auth") == other


def test_each_server_has_a_port_of_its_own_memory(installation: Installation) -> None:
    installation.remember_port("auth", 4001)
    installation.remember_port("xero_mcp", 4002)
    assert (installation.remembered_port("auth"), installation.remembered_port("xero_mcp")) == (4001, 4002)
    assert installation.remembered_port("console") == 0


def test_a_port_that_was_given_can_be_served_on_at_once(installation: Installation) -> None:
    with bound_socket(installation.port("auth")) as served:
        served.listen()
        with socket.create_connection(("127.0.0.1", port_of(served)), timeout=5):
            pass


def test_what_is_remembered_adds_up(installation: Installation) -> None:
    assert installation.state() == {}
    installation.remember(url="http://localhost:4001", step="connected")
    installation.remember(step="posted")
    assert installation.state() == {"url": "http://localhost:4001", "step": "posted"}


def test_a_write_that_was_cut_short_leaves_what_was_remembered_before(installation: Installation) -> None:
    installation.remember(step="connected")
    (installation.folder / "state.new").write_text('{"step": "pos')
    assert Installation(installation.folder).state() == {"step": "connected"}
    installation.remember(step="posted")
    assert installation.state() == {"step": "posted"}


def test_a_disk_without_room_is_refused_with_what_to_do(installation: Installation) -> None:
    refuse_full(installation.folder, least_bytes=1)
    with pytest.raises(Rejected, match="Make room, then start the same command again") as refused:
        refuse_full(installation.folder, least_bytes=2**62)
    assert refused.value.code == "no_space"


@pytest.mark.parametrize(
    "spoiled",
    [
        "",
        '{"step": "pos',
        "7",
        "[]",
        '{"workspace": "mine"}',
        '{"workspace": null}',
        '{"ports": null}',
        '{"ports": {"front": "x"}}',
        '{"ports": {"front": 65536}}',
    ],
)
def test_a_memory_that_cannot_be_read_is_said_with_what_to_do(installation: Installation, spoiled: str) -> None:
    (installation.folder / "state.json").write_text(spoiled)
    with pytest.raises(Rejected, match=r"state\.json cannot be read.*backup.*remove") as refused:
        installation.state()
    assert refused.value.code == "state_unreadable"


def test_the_workspace_of_an_installation_is_made_once(installation: Installation) -> None:
    workspace = installation.workspace()
    assert Installation(installation.folder).workspace() == workspace


def test_the_one_started_last_is_the_current_one(tmp_path: Path) -> None:
    for name in ("live", "demo-1"):
        Installation(tmp_path / name).make()
    asked = _well("from well.home import current; print(current().folder)", tmp_path)
    assert Path(asked.stdout.strip()) == (tmp_path / "demo-1").resolve()


def test_one_that_was_removed_since_is_said_to_be_gone(tmp_path: Path) -> None:
    made = Installation(tmp_path / "demo-1")
    made.make()
    shutil.rmtree(made.folder)
    asked = _well("from well.home import current; current()", tmp_path)
    assert f"{made.folder.resolve()}, which was started last, is gone. Try: well demo" in asked.stderr


@pytest.mark.parametrize("spoiled", [b"", b"\n", b".", b"../other", b"\xfa\x00\x01"])
def test_a_home_that_no_longer_says_which_one_that_is_takes_no_other_folder_for_it(
    tmp_path: Path, spoiled: bytes
) -> None:
    Installation(tmp_path / "live").make()
    (tmp_path / "current").write_bytes(spoiled)
    asked = _well("from well.home import current; print(current().folder)", tmp_path)
    assert asked.stdout == ""
    assert f"{tmp_path / 'current'} names no installation. Start yours once more" in asked.stderr


def test_where_nothing_was_started_that_is_said(tmp_path: Path) -> None:
    asked = _well("from well.home import current; current()", tmp_path)
    assert "Nothing was started here yet. Try: well demo" in asked.stderr


def test_a_home_that_cannot_be_used_is_named_with_what_the_system_says_of_it(tmp_path: Path) -> None:
    taken = tmp_path / "taken"
    taken.write_text("a file")
    ended = _well("import sys; sys.argv = ['well', 'up']; from well.cli import main; main()", taken)
    assert (ended.returncode, ended.stderr) == (1, f"{taken}: File exists.\n")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a device that is always full")
def test_a_disk_that_is_full_under_what_is_written_is_said_in_a_sentence(tmp_path: Path) -> None:
    asked = "import os, sys; sys.argv = ['well', '--help']; os.dup2(os.open('/dev/full', os.O_WRONLY), 1)"
    ended = _well(f"{asked}; from well.cli import main; main()", tmp_path)
    assert (ended.returncode, ended.stderr) == (1, "No space left on device: make room there.\n")


def test_without_a_name_it_lies_where_such_things_lie_and_for_root_where_every_user_can_pass(tmp_path: Path) -> None:
    asked = _well("from well.home import live; print(live().folder)", None, XDG_STATE_HOME=str(tmp_path))
    place = Path("/var/lib/well") if os.geteuid() == 0 else tmp_path / "well"
    assert Path(asked.stdout.strip()) == place / "live"


def test_an_installation_can_be_passed_and_its_parts_lie_inside(installation: Installation) -> None:
    assert installation.folder.stat().st_mode & 0o777 == 0o755
    parts = (installation.key_file, installation.postgres, installation.blobs, installation.standins)
    assert {part.parent for part in parts} == {installation.folder}
