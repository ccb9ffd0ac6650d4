"""The two providers of the demo, as processes of their own. They end with us, however we end; their files do not."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

import httpx

from libs.contracts.errors import Transient
from libs.runtime.listen import is_free
from well.home import Installation

START_SECONDS: Final = 15.0
"""Seconds for a stand-in to say where it is; it takes about one."""

TRIES: Final = 20
"""Looks, a quarter of a second apart, whether the port it had is free: one that was left behind by a killed process
lets go of it in some tenths of a second. After five seconds it is somebody else's, and the stand-in takes another."""

LOOK_SECONDS: Final = 0.25
"""Seconds between those looks."""

CALL_SECONDS: Final = 120.0
"""Seconds for one call of control: 50,000 bills at once take about twenty."""


@dataclass(frozen=True)
class Standins:
    """Where they are, and a way to their controls."""

    xero_url: str
    qonto_url: str
    http: httpx.AsyncClient

    async def tell_xero(self, path: str, words: object) -> dict[str, Any]:
        """Tell the stand-in Xero something under `/_standin/`."""
        return await self._tell(f"{self.xero_url}/_standin/{path}", words)

    async def tell_qonto(self, path: str, words: object) -> dict[str, Any]:
        """Tell the stand-in Qonto something under `/_standin/`."""
        return await self._tell(f"{self.qonto_url}/_standin/{path}", words)

    async def ask_xero(self, path: str, **query: str | int) -> dict[str, Any]:
        """Ask the stand-in Xero something under `/_standin/`."""
        return await self._ask(f"{self.xero_url}/_standin/{path}", query)

    async def ask_qonto(self, path: str, **query: str | int) -> dict[str, Any]:
        """Ask the stand-in Qonto something under `/_standin/`."""
        return await self._ask(f"{self.qonto_url}/_standin/{path}", query)

    async def _tell(self, url: str, words: object) -> dict[str, Any]:
        from well.demo.company import json_bytes

        headers = {"Content-Type": "application/json"}
        answer = await self.http.post(url, content=json_bytes(words), headers=headers)
        return _object(answer)

    async def _ask(self, url: str, query: Mapping[str, str | int]) -> dict[str, Any]:
        return _object(await self.http.get(url, params=dict(query)))


def _object(answer: httpx.Response) -> dict[str, Any]:
    said: dict[str, Any] = answer.raise_for_status().json()
    return said


@asynccontextmanager
async def running_standins(installation: Installation) -> AsyncIterator[Standins]:
    """Both stand-ins on the installation's files and ports, as long as the block lasts.

    Raises:
        Transient: One of them did not start.
    """
    xero, qonto = await asyncio.gather(_started(installation, "xero"), _started(installation, "qonto"))
    installation.remember_port("xero_standin", xero.port)
    installation.remember_port("qonto_standin", qonto.port)
    try:
        async with httpx.AsyncClient(timeout=CALL_SECONDS) as http:
            yield Standins(xero.url, qonto.url, http)
    finally:
        await asyncio.gather(xero.end(), qonto.end())


@dataclass(frozen=True)
class _Process:
    """A stand-in's process and where it says it is."""

    process: asyncio.subprocess.Process
    url: str

    @property
    def port(self) -> int:
        return int(self.url.rsplit(":", 1)[1])

    async def end(self) -> None:
        """Close its standard input, which it takes for our end, and wait for its own."""
        if self.process.returncode is None and self.process.stdin is not None:
            self.process.stdin.close()
            await self.process.wait()


async def _started(installation: Installation, name: str) -> _Process:
    module, store = f"libs.{name}.standin", str(installation.standins / f"{name}.sqlite")
    port = installation.remembered_port(f"{name}_standin")
    for attempt in range(TRIES):
        last = attempt == TRIES - 1
        if not last and not is_free(port):
            await asyncio.sleep(LOOK_SECONDS)
            continue
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", module, "--store", store, "--port", str(0 if last else port)),
            "--exit-with-parent",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=None if last else asyncio.subprocess.DEVNULL,
        )
        line = await _first_line(process)
        if line:
            return _Process(process, json.loads(line)["url"])
        await process.wait()
        await asyncio.sleep(LOOK_SECONDS)
    raise Transient(f"{module} did not start.")


async def _first_line(process: asyncio.subprocess.Process) -> bytes:
    if process.stdout is None:
        return b""
    async with asyncio.timeout(START_SECONDS):
        return await process.stdout.readline()
