"""A stand-in that ended, or does not answer, as the demo hears of it."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from libs.contracts.errors import Rejected, Transient
from well.demo.standins import Standin, running_standins
from well.home import Installation


@asynccontextmanager
async def _standin(status: int | None) -> AsyncIterator[Standin]:
    """One that lives and answers so; None answers nothing."""

    def answer(request: httpx.Request) -> httpx.Response:
        if status is None:
            raise httpx.ReadError("gone", request=request)
        return httpx.Response(status, json={"path": request.url.path})

    reads = ("-c", "import sys; sys.stdin.read()")
    process = await asyncio.create_subprocess_exec(sys.executable, *reads, stdin=asyncio.subprocess.PIPE)
    async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as http:
        standin = Standin("Xero", "http://127.0.0.1:4801", process, http)
        try:
            yield standin
        finally:
            await standin.end()


async def test_what_it_answers_is_handed_on() -> None:
    async with _standin(200) as standin:
        standin.check()
        assert standin.port == 4801
        assert await standin.asked("calls", {}) == {"path": "/_standin/calls"}


async def test_one_that_lives_and_does_not_answer_may_answer_later() -> None:
    async with _standin(None) as standin:
        with pytest.raises(Transient, match="The stand-in Xero does not answer"):
            await standin.asked("calls", {})


async def test_one_that_cannot_do_what_it_is_told_says_where() -> None:
    async with _standin(500) as standin:
        with pytest.raises(Rejected, match="answers 500 at /_standin/records"):
            await standin.told("records", {})


async def test_one_that_was_ended_will_not_answer_any_more_and_the_sentence_says_what_to_do() -> None:
    async with _standin(None) as standin:
        await standin.end()
        with pytest.raises(Rejected, match="Start the same command again") as refused:
            standin.check()
        assert refused.value.code == "standin_gone"
        with pytest.raises(Rejected):
            await standin.asked("calls", {})


async def test_one_that_cannot_read_what_it_holds_is_told_and_the_other_is_ended(tmp_path: Path) -> None:
    installation = Installation(tmp_path / "demo")
    installation.make()
    (installation.standins / "qonto.sqlite").write_bytes(b"no database" * 500)
    with pytest.raises(Rejected, match=r"ends as soon as it is started.*\.sqlite") as refused:
        async with running_standins(installation):
            pass
    assert refused.value.code == "standin_ends"
