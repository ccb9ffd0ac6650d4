"""`well` as its users start it: a process of its own, over an installation of its own."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TypeAlias

from libs.database.embedded import start_embedded
from libs.qonto.standin import running_standin
from tests.e2e.standins import ask
from tests.support.until import until

RUN_SECONDS: Final = 90.0
"""Seconds for one command. A small run to the end takes ten on a busy machine."""

_WELL: Final = Path(sys.executable).with_name("well")

Said: TypeAlias = dict[str, Any]
"""A JSON object that a command wrote on a line."""


@dataclass(frozen=True)
class Ended:
    """A command that ended.

    Attributes:
        status: As the shell has it; minus the signal's number when one ended it.
        output: What it wrote.
        complaint: What it wrote to standard error.
    """

    status: int
    output: str
    complaint: str

    @property
    def lines(self) -> list[Said]:
        """The JSON object of every line."""
        return [json.loads(line) for line in self.output.splitlines()]


@dataclass(frozen=True)
class Running:
    """A command under way, in a process group of its own, which its stand-ins are in too."""

    process: subprocess.Popen[bytes]
    output: Path
    errors: Path

    async def said(self, count: int) -> list[Said]:
        """Its first lines, as soon as there are so many."""

        async def spoken() -> list[str]:
            assert self.process.poll() is None, self.errors.read_text("utf-8")
            whole = [line for line in self.output.read_text("utf-8").splitlines(keepends=True) if line.endswith("\n")]
            return whole if len(whole) >= count else []

        return [json.loads(line) for line in await until(spoken, deadline_seconds=RUN_SECONDS)]

    async def ended(self) -> Ended:
        """How it ended, as soon as it has."""

        async def gone() -> bool:
            return self.process.poll() is not None

        await until(gone, deadline_seconds=RUN_SECONDS)
        return Ended(self.process.wait(), self.output.read_text("utf-8"), self.errors.read_text("utf-8"))

    def kill_group(self) -> None:
        """Kill it and its stand-ins at the same moment."""
        os.killpg(self.process.pid, signal.SIGKILL)


@dataclass
class Home:
    """A `WELL_HOME` of a test's own.

    Attributes:
        folder: Where it lies; open, since root's Postgres runs as another user.
        bytecode: Where Python keeps what it compiled, for all processes of a test run.
    """

    folder: Path
    bytecode: Path
    _commands: list[Running] = field(default_factory=list)

    async def run(self, *words: str, **variables: str) -> Ended:
        """Run a command to its end."""
        return await self.start(*words, **variables).ended()

    def start(self, *words: str, **variables: str) -> Running:
        """Start a command."""
        written = self.folder / f"command-{len(self._commands)}"
        running = Running(
            self._process(written, words, variables), written.with_suffix(".out"), written.with_suffix(".err")
        )
        self._commands.append(running)
        return running

    @property
    def installation(self) -> Path:
        """The installation started last."""
        return self.folder / (self.folder / "current").read_text("utf-8")

    def postmaster(self) -> int:
        """The process of the embedded Postgres, or of the one that was there last."""
        return int((self.installation / "pg" / "postmaster.pid").read_text("utf-8").split()[0])

    async def standins(self) -> tuple[str, str]:
        """Where the stand-ins of Xero and Qonto are, as soon as the installation remembers it."""

        async def ports() -> tuple[int, ...]:
            states = list(self.folder.glob("*/state.json"))
            known = json.loads(states[0].read_text("utf-8")).get("ports", {}) if states else {}
            wanted = ("xero_standin", "qonto_standin")
            return tuple(known[name] for name in wanted) if all(name in known for name in wanted) else ()

        xero, qonto = await until(ports, deadline_seconds=RUN_SECONDS)
        return f"http://127.0.0.1:{xero}", f"http://127.0.0.1:{qonto}"

    async def uploads(self) -> list[Said]:
        """Every supplier invoice uploaded to Qonto, as the stand-in's own file has it. Nothing may run meanwhile."""
        async with running_standin(store=str(self.installation / "standins" / "qonto.sqlite")) as standin:
            invoices = (await ask(standin.url, "invoices"))["invoices"]
        return [invoice for invoice in invoices if invoice["uploaded"]]

    async def close(self) -> None:
        """End what is left, and remove everything."""
        for running in self._commands:
            if running.process.poll() is None:
                running.kill_group()
                running.process.wait()
        for pid_file in self.folder.glob("*/pg/postmaster.pid"):
            await (await start_embedded(pid_file.parent)).stop()
        shutil.rmtree(self.folder)

    def _process(self, written: Path, words: tuple[str, ...], variables: dict[str, str]) -> subprocess.Popen[bytes]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("WELL_")}
        kept.pop("PYTHONDONTWRITEBYTECODE", None)  # whoever starts `well` twice has it compiled once
        environment = {**kept, "PYTHONPYCACHEPREFIX": str(self.bytecode), "WELL_HOME": str(self.folder), **variables}
        with written.with_suffix(".out").open("wb") as output, written.with_suffix(".err").open("wb") as errors:
            return subprocess.Popen(
                [_WELL, *words],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=errors,
                env=environment,
                start_new_session=True,
            )


@asynccontextmanager
async def home_of_its_own(bytecode: Path) -> AsyncIterator[Home]:
    """A home as long as the block lasts."""
    home = Home(_open_folder(), bytecode)
    try:
        yield home
    finally:
        await home.close()


def _open_folder() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="well-e2e-"))
    folder.chmod(0o755)
    return folder
