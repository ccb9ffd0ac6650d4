"""`well connect` and `well connections` beside `well up`, with a browser that clicks through the stand-ins' pages."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

from libs.qonto.standin import running_standin as running_qonto
from libs.xero.standin import running_standin as running_xero
from tests.e2e.home import Ended, Home
from tests.support.auth import TENANT, told
from tests.support.until import until
from tests.support.web import web_client

ROOT = Path(__file__).parents[2]

APPS: Final = {
    f"{provider}_CLIENT_{part}": value
    for provider in ("XERO", "QONTO")
    for part, value in (("ID", "well-demo"), ("SECRET", "well-demo-secret"))
}

BROWSER: Final = {"BROWSER": f"{sys.executable} -m tests.support.clicking %s", "PYTHONPATH": str(ROOT)}

UP_SECONDS: Final = 60.0
"""Seconds until `well up` has made its Postgres on a busy machine; a tenth on an idle one."""


@asynccontextmanager
async def up(home: Home) -> AsyncIterator[dict[str, str]]:
    """`well up` before both stand-ins, of which neither asks a person; the variables for commands beside it."""
    async with running_xero() as xero, running_qonto() as qonto:
        await told(xero, "organisations", {"tenant_id": TENANT, "name": "Atelier Marchand"})
        await told(xero, "settings", {"consent": "auto"})
        await told(qonto, "settings", {"consent": "auto"})
        running = home.start("up", WELL_XERO_URL=xero.url, WELL_QONTO_URL=qonto.url, **APPS)

        async def says_so() -> bool:
            assert running.process.poll() is None, running.errors.read_text("utf-8")
            return "Well is up" in running.output.read_text("utf-8")

        await until(says_so, deadline_seconds=UP_SECONDS)
        yield {"xero": xero.url, "qonto": qonto.url}


def went_well(ended: Ended) -> str:
    assert ended.status == 0, ended.complaint
    return ended.output


async def calls(url: str) -> dict[str, Any]:
    async with web_client() as http:
        counted: dict[str, Any] = (await http.get(f"{url}/_standin/calls")).json()
        return counted


async def test_a_person_connects_both_sees_what_is_granted_and_takes_it_back(home: Home) -> None:
    async with up(home) as standins:
        assert "Nothing is connected yet." in went_well(await home.run("connections", "list"))
        nothing = await home.run("connections", "revoke", "qonto", "--yes")
        assert (nothing.status, nothing.output) == (1, "")
        assert "Qonto is not connected, so there is nothing to take back." in nothing.complaint

        await _a_refusal_reaches_the_command_at_once(home, standins)

        xero = went_well(await home.run("connect", "xero", **BROWSER))
        assert "read the files attached to bills" in xero
        assert "Xero is connected: Atelier Marchand." in xero
        assert "connect qonto" in xero.rpartition("Next:")[2]
        qonto = went_well(await home.run("connect", "qonto", "--bank-matching", **BROWSER))
        assert "read the organization, its accounts and transactions in Qonto" in qonto
        assert "Qonto is connected: Maison Tilleul SAS." in qonto

        listed = (await home.run("connections", "list", "--json")).lines
        assert [(each["provider"], each["state"]) for each in listed] == [("xero", "active"), ("qonto", "active")]
        await _a_program_is_ended_and_allowed_again(home)
        assert "Qonto is disconnected." in went_well(await home.run("connections", "revoke", "qonto", "--yes"))
        assert (await calls(standins["qonto"]))["POST /oauth2/revoke 200"] == 1
        shown = went_well(await home.run("connections", "list"))
        assert "connect qonto" in shown
        assert "Atelier Marchand" in shown
        await _who_connects_after_an_erasure_begins_anew(home)


async def _who_connects_after_an_erasure_begins_anew(home: Home) -> None:
    went_well(await home.run("workspace", "erase", "--yes", **APPS))
    assert (await home.run("connections", "list", "--json")).lines == []
    assert "Qonto is connected" in went_well(await home.run("connect", "qonto", **BROWSER))
    assert [each["provider"] for each in (await home.run("connections", "list", "--json")).lines] == ["qonto"]


async def _a_program_is_ended_and_allowed_again(home: Home) -> None:
    (own,) = (await home.run("programs", "list", "--json")).lines
    assert own["id"][:8] in went_well(await home.run("programs", "list"))
    ended = went_well(await home.run("programs", "end", own["id"][:8], "--yes"))
    assert f"{own['name']} reads no more." in ended
    assert "No program reads" in went_well(await home.run("programs", "list"))
    assert "No program may read it" in went_well(await home.run("connections", "list"))
    again = await home.run("programs", "end", own["id"], "--yes")
    assert (again.status, again.output) == (1, "")
    assert "No program's id begins with" in again.complaint
    assert "Xero is connected" in went_well(await home.run("connect", "xero", **BROWSER))
    (other,) = (await home.run("programs", "list", "--json")).lines
    assert (other["name"], other["id"] == own["id"]) == (own["name"], False)
    assert "Xero is connected" in went_well(await home.run("connect", "xero", **BROWSER))
    (third,) = (await home.run("programs", "list", "--json")).lines
    assert third["id"] not in {own["id"], other["id"]}


async def _a_refusal_reaches_the_command_at_once(home: Home, standins: dict[str, str]) -> None:
    for name, sentence in (
        ("xero", "Xero was not connected: the access was refused there."),
        ("qonto", "Qonto was not connected: the access was refused there."),
    ):
        await _told(standins[name], consent="page")
        refused = await home.run("connect", name, **BROWSER)
        assert (refused.status, refused.complaint.strip()) == (1, sentence)
        await _told(standins[name], consent="auto")
    assert (await home.run("connections", "list", "--json")).lines == []


async def _told(url: str, **settings: str) -> None:
    async with web_client() as http:
        (await http.post(f"{url}/_standin/settings", json=settings)).raise_for_status()
