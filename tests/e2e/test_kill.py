"""`well demo` killed with -9 and started again: nothing is lost, nothing is posted twice."""

from __future__ import annotations

import os
import random
import signal
from collections import Counter
from collections.abc import Callable

import httpx
import psutil
import pytest

from libs.runtime.crashpoints import POSTING_POINTS
from tests.e2e.books import bills_file
from tests.e2e.home import RUN_SECONDS, Ended, Home, Running
from tests.e2e.standins import ask
from tests.support.until import until

KILLED = -signal.SIGKILL

CALLS = 70
"""Both providers have had so many calls, consent included, before the last of 40 bills is posted."""


async def goes_on_to_the_end(home: Home, *command: str) -> None:
    """The same command again."""
    await _is_whole(home, await home.run(*command))


async def _is_whole(home: Home, ended: Ended) -> None:
    """Our summary and Qonto's own books say the same."""
    assert ended.status == 0, ended.complaint
    figures = ended.lines[-1]
    assert (figures["lost"], figures["posted_twice"], figures["wrong_links"]) == (0, 0, 0)
    assert figures["decided"] == figures["bills"]
    assert figures["posted"] > 0
    by_content = Counter(invoice["sha256"] for invoice in await home.uploads())
    assert set(by_content.values()) == {1}
    assert by_content.total() == figures["posted"]


@pytest.mark.parametrize(
    "points", [POSTING_POINTS[:4], POSTING_POINTS[4:]], ids=["until_it_is_sent", "once_it_is_sent"]
)
async def test_killed_at_each_named_point_of_a_posting_in_turn(home: Home, points: tuple[str, ...]) -> None:
    """Each run takes up what the one before left, and is killed at the next point."""
    command = ("demo", "--once", "--json", "--bills", str(bills_file(home.folder, 60)))
    for point in points:
        killed = await home.run(*command, WELL_CRASH_AT=point)
        assert (killed.status, killed.output) == (KILLED, ""), point
    await goes_on_to_the_end(home, *command)


@pytest.mark.parametrize("seed", [4127, 90533])
async def test_killed_at_any_moment(home: Home, seed: int) -> None:
    """A moment is a number of calls that both providers have had."""
    moment = random.Random(seed).randint(1, CALLS)  # noqa: S311 a seed, so that what fails fails again
    command = ("demo", "--once", "--json", "--bills", str(bills_file(home.folder, 40)))
    running = home.start(*command)
    xero, qonto = await home.standins()

    async def reached() -> bool:
        calls: list[int] = [*(await ask(xero, "calls")).values(), *(await ask(qonto, "calls")).values()]
        return sum(calls) >= moment

    await until(reached, deadline_seconds=RUN_SECONDS)
    running.process.kill()
    assert (await running.ended()).status == KILLED
    await goes_on_to_the_end(home, *command)


async def test_postgres_alone_is_killed_twice_and_the_same_process_goes_on_to_the_end(home: Home) -> None:
    running = home.start("demo", "--once", "--json", "--bills", str(bills_file(home.folder, 40)), WELL_LOG="error")
    xero, qonto = await home.standins()

    async def read() -> bool:
        return sum((await ask(xero, "calls")).values()) > 3

    async def uploaded() -> bool:
        return bool(await ask(qonto, "uploads_by_file_name"))

    for moment in (read, uploaded):
        await until(moment, deadline_seconds=RUN_SECONDS)
        os.kill(home.postmaster(), signal.SIGKILL)
    ended = await running.ended()
    assert ended.complaint.count("postgres.started_again") >= 1
    await _is_whole(home, ended)


async def test_stopped_before_its_end_it_says_so_and_the_next_run_goes_on(home: Home) -> None:
    """A stand-in is ended, then Ctrl-C is pressed, which reaches the stand-ins too: they stay until we are done."""
    command = ("demo", "--once", "--json", "--bills", str(bills_file(home.folder, 40)))

    async def stopped(stop: Callable[[Running], None]) -> Ended:
        running = home.start(*command)
        xero, _ = await home.standins()

        async def read() -> bool:
            try:
                return sum((await ask(xero, "calls")).values()) > 3
            except httpx.TransportError:
                return False  # it comes back where it was, and is not back yet

        await until(read, deadline_seconds=RUN_SECONDS)
        stop(running)
        return await running.ended()

    ended = await stopped(lambda running: _standin_of(running, "qonto").kill())
    assert (ended.status, ended.output) == (1, "")
    assert ended.complaint == "The stand-in Qonto was ended. Start the same command again: it goes on from here.\n"
    ended = await stopped(lambda running: os.killpg(running.process.pid, signal.SIGINT))
    assert (ended.status, ended.output) == (1, "")
    assert ended.complaint.startswith("Stopping: what is under way is finished first.")
    await goes_on_to_the_end(home, *command)


def _standin_of(running: Running, provider: str) -> psutil.Process:
    children = psutil.Process(running.process.pid).children()
    (found,) = [child for child in children if f"libs.{provider}.standin" in child.cmdline()]
    return found


async def test_the_machine_loses_its_power(home: Home) -> None:
    """The process, its stand-ins and Postgres end at once, after the first upload was seen."""
    command = ("demo", "--once", "--json", "--bills", str(bills_file(home.folder, 40)))
    running = home.start(*command)
    _, qonto = await home.standins()

    async def uploaded() -> bool:
        return bool(await ask(qonto, "uploads_by_file_name"))

    await until(uploaded, deadline_seconds=RUN_SECONDS)
    postgres = home.postmaster()
    running.kill_group()
    os.kill(postgres, signal.SIGKILL)
    assert (await running.ended()).status == KILLED
    await goes_on_to_the_end(home, *command)
