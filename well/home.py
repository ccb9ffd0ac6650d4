"""Where an installation keeps what must outlive its process, and which one was started last.

```
WELL_HOME/
  current                the name of the installation started last
  live/ or demo-<hash>/
    key                  the key-encryption key; without it nothing sealed opens again
    pg/                  the embedded Postgres
    blobs/               documents, sealed
    standins/            what the stand-ins hold (demo only)
    state.json           workspace, ports, how far the demo is
    lock                 held while a process runs the installation
```
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID, uuid4

from libs.contracts.errors import Rejected
from libs.database.space import SPACE_TO_START_BYTES, refuse_full
from libs.runtime.listen import bound_socket, is_free, port_of
from well.database_url import own_database
from well.key_service import vault_from

if TYPE_CHECKING:
    from libs.crypto.vault import VaultAt

_OPEN_FOLDER: Final = 0o755
"""As root the embedded Postgres runs as another user, who must be able to pass; what is secret has modes of its own."""


_LIVE: Final = "live"

_NAMES: Final = re.compile(r"live|demo-\w+")
"""What installations are called; anything else, joined to the home, could be another folder."""

_PORTS: Final = range(2**16)
"""What a port can be, and 0 for one that was not chosen yet."""


def home() -> Path:
    """The folder of all installations: `WELL_HOME`, or the place for such things on this machine."""
    named = os.environ.get("WELL_HOME")
    if named:
        return Path(named).resolve()
    if os.geteuid() == 0:
        return Path("/var/lib/well")
    return Path(os.environ.get("XDG_STATE_HOME", Path.home() / ".local" / "state")) / "well"


@dataclass(frozen=True)
class Installation:
    """One installation on this machine.

    Attributes:
        folder: Where it lies.
    """

    folder: Path

    @property
    def key_file(self) -> Path:
        """The key-encryption key."""
        return self.folder / "key"

    @property
    def postgres(self) -> Path:
        """The embedded Postgres."""
        return self.folder / "pg"

    @property
    def blobs(self) -> Path:
        """The documents."""
        return self.folder / "blobs"

    @property
    def standins(self) -> Path:
        """What the stand-ins hold."""
        return self.folder / "standins"

    def prepare(self) -> None:
        """Make its folder.

        Raises:
            Rejected: `no_space` when the embedded Postgres would not have room in it.
        """
        for folder in (self.folder.parent, self.folder):
            folder.mkdir(parents=True, exist_ok=True)
            folder.chmod(_OPEN_FOLDER)
        self.standins.mkdir(exist_ok=True)
        if self.database_url is None:
            refuse_full(self.folder, least_bytes=SPACE_TO_START_BYTES)

    def make(self) -> None:
        """Make its folder, and remember it as the one started last."""
        self.prepare()
        _write(self.folder.parent / "current", self.folder.name)

    def empty(self) -> None:
        """Remove everything it holds, what it remembers last. Whoever does so holds its lock, which stays."""
        for folder in (self.postgres, self.blobs, self.standins):
            shutil.rmtree(folder, ignore_errors=True)
        for file in (self.key_file, self.folder / "state.json"):
            file.unlink(missing_ok=True)
        self.standins.mkdir()

    @property
    def database_url(self) -> str | None:
        """A Postgres of one's own, for real accounts; None is the embedded one. A demo is emptied, and always has that.

        Raises:
            Rejected: As `own_database` says.
        """
        return own_database(os.environ) if self.folder.name == _LIVE else None

    @property
    def vault(self) -> VaultAt | None:
        """The Vault that holds the key-encryption key, for real accounts; None is the file.

        Raises:
            Rejected: As `vault_from` says.
        """
        return vault_from(os.environ) if self.folder.name == _LIVE else None

    def state(self) -> dict[str, Any]:
        """What was remembered between starts.

        Raises:
            Rejected: `state_unreadable` when somebody, or a failing disk, left something else there.
        """
        file = self.folder / "state.json"
        try:
            return _remembered(file.read_text(encoding="utf-8")) if file.exists() else {}
        except (ValueError, TypeError, AttributeError):
            sentence = f"{file} cannot be read. Bring it back from a backup; for a demo, remove {self.folder}."
            raise Rejected(sentence, code="state_unreadable") from None

    def remember(self, **changes: object) -> None:
        """Remember more between starts; whole or not at all."""
        _write(self.folder / "state.json", json.dumps({**self.state(), **changes}, indent=1))

    def workspace(self) -> UUID:
        """The workspace of this machine's one customer, made at first use."""
        remembered = self.state().get("workspace")
        return UUID(remembered) if remembered else self.new_workspace()

    def new_workspace(self) -> UUID:
        """A new workspace, which is this machine's from here on."""
        workspace = uuid4()
        self.remember(workspace=str(workspace))
        return workspace

    def port(self, name: str) -> int:
        """The port that a server of this installation had, or a free one when it had none or another has it now.

        Addresses stand in consents, so a server should come back where it was.
        """
        port = self.remembered_port(name)
        with bound_socket(port if is_free(port) else 0) as probe:
            chosen = port_of(probe)
        self.remember_port(name, chosen)
        return chosen

    def remembered_port(self, name: str) -> int:
        """The port that a server had; 0 when it had none."""
        return int(self.state().get("ports", {}).get(name, 0))

    def remember_port(self, name: str, port: int) -> None:
        """Remember where a server listens."""
        self.remember(ports={**self.state().get("ports", {}), name: port})

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the installation for one process; the lock ends with the process, however it ends.

        Raises:
            Rejected: `running_already` when another process holds it.
        """
        with (self.folder / "lock").open("w", encoding="utf-8") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                sentence = f"Another process runs the installation in {self.folder}; stop it first."
                raise Rejected(sentence, code="running_already") from None
            yield


def live() -> Installation:
    """The installation with real accounts."""
    return Installation(home() / _LIVE)


def current() -> Installation:
    """The installation started last.

    Raises:
        Rejected: `no_installation` when none was ever started here, or it was removed since.
    """
    file = home() / "current"
    if not file.exists():
        raise Rejected("Nothing was started here yet. Try: well demo", code="no_installation")
    name = file.read_text(encoding="utf-8", errors="replace").strip()
    if not _NAMES.fullmatch(name):
        sentence = f"{file} names no installation. Start yours once more, which writes it: well up, or well demo"
        raise Rejected(sentence, code="no_installation")
    folder = home() / name
    if not folder.is_dir():
        raise Rejected(f"{folder}, which was started last, is gone. Try: well demo", code="no_installation")
    return Installation(folder)


def _remembered(text: str) -> dict[str, Any]:
    """What `remember` wrote; ValueError, TypeError or AttributeError when this is anything else."""
    kept = json.loads(text)
    if not isinstance(kept, dict):
        raise TypeError
    if "workspace" in kept:
        UUID(kept["workspace"])
    if not all(isinstance(port, int) and port in _PORTS for port in kept.get("ports", {}).values()):
        raise ValueError
    return kept


def _write(file: Path, text: str) -> None:
    """Put a text in a file's place, so that even a machine that loses its power finds the old one or the new."""
    beside = file.with_suffix(".new")
    with beside.open("w", encoding="utf-8") as written:
        written.write(text)
        written.flush()
        os.fsync(written.fileno())
    beside.replace(file)
