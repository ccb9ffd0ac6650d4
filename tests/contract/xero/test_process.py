"""The stand-in as a process: its address on a line, its state through a kill, its end with its parent."""

from __future__ import annotations

import asyncio
import json
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from libs.runtime.clock import ShiftedClock
from libs.xero.standin import Standin
from tests.contract.xero.world import TENANT, World, bill
from tests.support.web import web_client

PATIENCE_SECONDS = 30
"""Seconds a process may take to start or to end on a busy machine."""


@asynccontextmanager
async def started(store: Path) -> AsyncIterator[tuple[World, Process]]:
    """A stand-in in a process of its own, killed at the end if it is still there."""
    arguments = ("-m", "libs.xero.standin", "--port", "0", "--store", str(store), "--exit-with-parent")
    process = await asyncio.create_subprocess_exec(sys.executable, *arguments, stdin=PIPE, stdout=PIPE)
    try:
        async with asyncio.timeout(PATIENCE_SECONDS), web_client() as http:
            assert process.stdout is not None
            url = json.loads(await process.stdout.readline())["url"]
            yield World(Standin(url, ShiftedClock()), http), process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


@pytest.mark.slow
async def test_what_was_answered_is_still_there_after_a_kill(tmp_path: Path) -> None:
    store = tmp_path / "xero.sqlite"
    async with started(store) as (world, process):
        await world.tell("organisations", tenant_id=TENANT, name="Demo Company (FR)")
        tokens = await world.tokens()
        await world.tell("records", tenant_id=TENANT, invoices=[bill()])
        await world.tell("limits", minute=7)
        await world.tell("clock", advance_seconds=1_000)
        process.kill()
        await process.wait()
    async with started(store) as (world, _):
        page = await world.client.invoices(tokens["access_token"], TENANT, page=1)
        assert (page.records[0]["Total"], page.budget.minute_remaining) == ("119.99", 6)
        await world.tell("clock", advance_seconds=801)
        assert (await world.raw("/Invoices", tokens["access_token"])).status_code == 401
        assert (await world.refresh(tokens["refresh_token"])).status_code == 200


@pytest.mark.slow
async def test_it_ends_when_its_parent_closes_the_pipe(tmp_path: Path) -> None:
    async with started(tmp_path / "xero.sqlite") as (world, process):
        await world.tell("organisations", tenant_id=TENANT, name="Demo Company (FR)")
        assert process.stdin is not None
        process.stdin.close()
        assert await process.wait() == 0


@pytest.mark.slow
async def test_it_ends_when_it_is_asked_to(tmp_path: Path) -> None:
    async with started(tmp_path / "xero.sqlite") as (_, process):
        process.terminate()
        assert await process.wait() == 0
