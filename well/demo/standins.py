"""The two providers of the demo, as processes of their own. They end with us, however we end; their files do not."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Awaitable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

import httpx

from libs.contracts.errors import Rejected, Transient
from libs.runtime.listen import is_free
from libs.runtime.tls import authorities
from well.home import Installation

START_SECONDS: Final = 60.0
"""Seconds for a stand-in to say where it is; it takes about one, and twenty where other work holds both cores."""

TRIES: Final = 20
"""Looks, a quarter of a second apart, whether the port it had is free: one that was left behind by a killed process
lets go of it in some tenths of a second. After five seconds it is somebody else's, and the stand-in takes another."""

LOOK_SECONDS: Final = 0.25
"""Seconds between those looks."""

STARTS: Final = 3
"""Starts of a stand-in that ends at once: another process may take its port in the moment after our look. What it says
of the last one is shown."""

END_SECONDS: Final = 10.0
"""Seconds for a stand-in to end by itself; requests in flight get one of them."""

CALL_SECONDS: Final = 120.0
"""Seconds for one call of control: 50,000 bills at once take about twenty."""


@dataclass(frozen=True)
class Standin:
    """A stand-in's process.

    Attributes:
        name: Which provider it stands for.
        url: Where it says it is.
    """

    name: str
    url: str
    _process: asyncio.subprocess.Process
    _http: httpx.AsyncClient

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.url.rsplit(":", 1)[1])

    def check(self) -> None:
        """Return when it lives.

        Raises:
            Rejected: `standin_gone`. Somebody has ended it, and nothing goes on without it.
        """
        if self._process.returncode is not None:
            sentence = f"The stand-in {self.name} was ended. Start the same command again: it goes on from here."
            raise Rejected(sentence, code="standin_gone")

    async def told(self, path: str, words: object) -> dict[str, Any]:
        """What it answers when it is told something under `/_standin/`.

        Raises:
            Transient: It does not answer.
            Rejected: `standin_gone`, or `standin_refused` when it cannot do what it was told.
        """
        from well.demo.company import json_bytes

        content, headers = json_bytes(words), {"Content-Type": "application/json"}
        return await self._answer("POST", path, content=content, headers=headers)

    async def asked(self, path: str, query: Mapping[str, str | int]) -> dict[str, Any]:
        """What it answers when it is asked something under `/_standin/`.

        Raises:
            Transient: It does not answer.
            Rejected: `standin_gone`, or `standin_refused` when it cannot tell.
        """
        return await self._answer("GET", path, params=dict(query))

    async def end(self) -> None:
        """Close its standard input, which it takes for our end, and wait for its own; or kill it."""
        if self._process.returncode is None and self._process.stdin is not None:
            self._process.stdin.close()
            await _gone(self._process)

    async def _answer(self, method: str, path: str, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - as httpx takes it
        try:
            answer = await self._http.request(method, f"{self.url}/_standin/{path}", **more)
        except httpx.TransportError as error:
            self.check()
            raise Transient(f"The stand-in {self.name} does not answer ({type(error).__name__}).") from None
        if answer.is_error:
            sentence = f"The stand-in {self.name} answers {answer.status_code} at /_standin/{path}."
            raise Rejected(sentence, code="standin_refused")
        said: dict[str, Any] = answer.json()
        return said


@dataclass(frozen=True)
class Standins:
    """Where they are, and a way to their controls; errors are those of `Standin`."""

    xero: Standin
    qonto: Standin

    @property
    def xero_url(self) -> str:
        """The address of the stand-in Xero."""
        return self.xero.url

    @property
    def qonto_url(self) -> str:
        """The address of the stand-in Qonto."""
        return self.qonto.url

    def check(self) -> None:
        """Return when both live."""
        self.xero.check()
        self.qonto.check()

    async def tell_xero(self, path: str, words: object) -> dict[str, Any]:
        """Tell the stand-in Xero something under `/_standin/`."""
        return await self.xero.told(path, words)

    async def tell_qonto(self, path: str, words: object) -> dict[str, Any]:
        """Tell the stand-in Qonto something under `/_standin/`."""
        return await self.qonto.told(path, words)

    async def ask_xero(self, path: str, **query: str | int) -> dict[str, Any]:
        """Ask the stand-in Xero something under `/_standin/`."""
        return await self.xero.asked(path, query)

    async def ask_qonto(self, path: str, **query: str | int) -> dict[str, Any]:
        """Ask the stand-in Qonto something under `/_standin/`."""
        return await self.qonto.asked(path, query)


@asynccontextmanager
async def running_standins(installation: Installation) -> AsyncIterator[Standins]:
    """Both stand-ins on the installation's files and ports, as long as the block lasts.

    Raises:
        Transient: One of them did not start in time.
        Rejected: `standin_ends` when one of them cannot start.
    """
    async with httpx.AsyncClient(verify=authorities(), timeout=CALL_SECONDS) as http:
        starting = [_started(installation, name, http) for name in ("Xero", "Qonto")]
        xero, qonto = await _all_or_none(starting)
        installation.remember_port("xero_standin", xero.port)
        installation.remember_port("qonto_standin", qonto.port)
        try:
            yield Standins(xero, qonto)
        finally:
            await asyncio.gather(xero.end(), qonto.end())


async def _all_or_none(starting: Iterable[Awaitable[Standin]]) -> list[Standin]:
    """All that were started; where one did not, the others are ended."""
    outcomes = await asyncio.gather(*starting, return_exceptions=True)
    started = [outcome for outcome in outcomes if isinstance(outcome, Standin)]
    failed = [outcome for outcome in outcomes if isinstance(outcome, BaseException)]
    if failed:
        await asyncio.gather(*(standin.end() for standin in started))
        raise failed[0]
    return started


async def _started(installation: Installation, name: str, http: httpx.AsyncClient) -> Standin:
    key = name.lower()
    module, store = f"libs.{key}.standin", str(installation.standins / f"{key}.sqlite")
    port = installation.remembered_port(f"{key}_standin")
    for _ in range(TRIES):
        if is_free(port):
            break
        await asyncio.sleep(LOOK_SECONDS)
    else:
        port = 0
    for start in range(STARTS):
        last = start == STARTS - 1
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", module, "--store", store, "--port", str(0 if last else port)),
            "--exit-with-parent",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=None if last else asyncio.subprocess.DEVNULL,
        )
        line = await _first_line(process)
        if line is None:
            sentence = f"The stand-in {name} did not start within {START_SECONDS:.0f} seconds."
            raise Transient(f"{sentence} Start the same command again, when less else runs.")
        if line:
            return Standin(name, json.loads(line)["url"], process, http)
        await _gone(process)
    sentence = f"The stand-in {name} ends as soon as it is started, as it says above. What it holds lies in {store}."
    raise Rejected(sentence, code="standin_ends")


async def _first_line(process: asyncio.subprocess.Process) -> bytes | None:
    """The first line it writes; empty when it ended before, and None when it took too long and was killed."""
    if process.stdout is None:
        return b""
    try:
        async with asyncio.timeout(START_SECONDS):
            return await process.stdout.readline()
    except TimeoutError:
        process.kill()
        return None


async def _gone(process: asyncio.subprocess.Process) -> None:
    """Return when it has ended; it is killed when that takes long, as it does where somebody has stopped it."""
    try:
        async with asyncio.timeout(END_SECONDS):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()
