"""The stand-in as a process: its address on a line, its state through a kill, its end with its parent."""

from __future__ import annotations

import asyncio
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import orjson
import pytest

from libs.qonto.client import QontoClient
from tests.contract.qonto.desk import upload
from tests.support.web import web_client

PATIENCE_SECONDS = 30
"""Seconds a process may take to start or to end on a busy machine."""


@asynccontextmanager
async def started(store: Path) -> AsyncIterator[tuple[str, Process]]:
    """A stand-in in a process of its own and its address; killed at the end if it is still there."""
    arguments = ("-m", "libs.qonto.standin", "--port", "0", "--store", str(store), "--exit-with-parent")
    process = await asyncio.create_subprocess_exec(sys.executable, *arguments, stdin=PIPE, stdout=PIPE)
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            assert process.stdout is not None
            yield orjson.loads(await process.stdout.readline())["url"], process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


@pytest.mark.slow
async def test_what_was_answered_is_still_there_after_a_kill(tmp_path: Path) -> None:
    store = tmp_path / "qonto.sqlite"
    async with web_client() as http:
        async with started(store) as (url, process):
            tokens = (await http.post(f"{url}/_standin/tokens", json={})).json()
            await http.post(f"{url}/_standin/settings", json={"analysis_delay_seconds": 900})
            await http.post(f"{url}/_standin/clock", json={"advance_seconds": 100_000})
            tokens = (await http.post(f"{url}/_standin/tokens", json={})).json()
            first = await QontoClient(http, url).upload(tokens["access_token"], [upload("a")])
            process.kill()
            await process.wait()
        async with started(store) as (url, _):
            client = QontoClient(http, url)
            assert await client.upload(tokens["access_token"], [upload("a")]) == first
            assert (await http.get(f"{url}/_standin/uploads_by_file_name")).json() == {"a.pdf": 1}
            assert (await http.get(f"{url}/_standin/calls")).json() == {"POST /v2/supplier_invoices/bulk 200": 2}
            assert (await http.get(f"{url}/_standin/settings")).json()["analysis_delay_seconds"] == 900
            await http.post(f"{url}/_standin/clock", json={"advance_seconds": 1_801})
            assert await client.upload(tokens["access_token"], [upload("a")]) != first


@pytest.mark.slow
async def test_it_ends_when_its_parent_closes_the_pipe(tmp_path: Path) -> None:
    async with started(tmp_path / "qonto.sqlite") as (_, process):
        assert process.stdin is not None
        process.stdin.close()
        assert await process.wait() == 0


@pytest.mark.slow
async def test_it_ends_at_once_when_there_is_no_input_to_wait_for(tmp_path: Path) -> None:
    arguments = ("-m", "libs.qonto.standin", "--store", str(tmp_path / "qonto.sqlite"), "--exit-with-parent")
    process = await asyncio.create_subprocess_exec(sys.executable, *arguments, stdin=DEVNULL, stdout=PIPE)
    async with asyncio.timeout(PATIENCE_SECONDS):
        said, _ = await process.communicate()
    assert (process.returncode, list(orjson.loads(said))) == (0, ["url", "client_id", "organization"])


@pytest.mark.slow
async def test_it_ends_when_it_is_asked_to(tmp_path: Path) -> None:
    async with started(tmp_path / "qonto.sqlite") as (_, process):
        process.terminate()
        assert await process.wait() == 0
