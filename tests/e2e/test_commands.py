"""`well demo` as it serves, and the commands that a person types beside it."""

from __future__ import annotations

import json
import signal
import socket
from typing import Final

import asyncpg

from libs.database.embedded import start_embedded
from tests.e2e.books import assert_nothing_is_amiss, bills_file
from tests.e2e.home import Ended, Home, Said
from tests.support.until import until

LINES: Final = 2
"""What a demo for programs says while it serves: its addresses, and the summary."""

_UNKNOWN: Final = "5f0c1b5e-63a1-4c37-9d0e-0d5c5e0f4a11"


async def test_the_made_up_company_goes_from_consent_to_posted_invoices_and_its_person_answers(home: Home) -> None:
    running = home.start("demo", "--json")
    addresses, figures = await running.said(LINES)
    assert set(addresses) == {"xero_mcp", "xero_standin", "qonto_standin", "status", "postgres"}
    _the_company_is_dealt_with(figures)
    await _what_waits_is_shown(home, figures)
    await _what_is_wrong_is_said(home)
    await _an_answer_is_taken_once_and_stands_in_the_trail(home)
    await _a_reader_gets_a_grant_that_can_be_taken_back(home)
    await _keys_are_replaced_while_it_works(home)
    running.process.send_signal(signal.SIGINT)
    ended = await running.ended()
    assert (ended.status, ended.complaint, len(ended.lines)) == (0, "", LINES)
    assert len(await home.uploads()) == figures["posted"]
    await _a_restored_database_says_whose_it_is(home)
    await _the_workspace_is_erased(home)


def _the_company_is_dealt_with(figures: Said) -> None:
    assert_nothing_is_amiss(figures)
    assert figures["bills"] > 100
    assert figures["posted"] > 0
    assert figures["linked"] > 0
    assert figures["review"] > 0
    assert figures["ineligible"] > 0
    assert figures["rejected"] == 2  # a file over Qonto's 10 MB, and one that is no PDF
    assert figures["records_per_second"] > 0


async def _waiting(home: Home) -> list[Said]:
    return _went_well(await home.run("review", "list", "--json")).lines


async def _what_waits_is_shown(home: Home, figures: Said) -> None:
    waiting = await _waiting(home)
    assert len(waiting) == sum(figures[end] for end in ("review", "rejected", "differs", "unchecked"))
    elsewhere = {"WELL_DATABASE_URL": "postgresql://nobody@127.0.0.1:9/nowhere"}  # for real accounts, not for a demo
    shown = _went_well(await home.run("review", "list", NO_COLOR="1", **elsewhere)).output
    assert "\x1b" not in shown
    assert max(map(len, shown.splitlines())) <= 80  # no terminal, no width
    for view in waiting:
        assert view["bill"]["number"] in shown
        assert view["why"].split(".")[0][:40] in shown
    page = _went_well(await home.run("review", "show", waiting[0]["bill"]["number"], COLUMNS="120")).output
    assert waiting[0]["bill"]["supplier_name"] in page
    assert waiting[0]["why"] in page


async def _what_is_wrong_is_said(home: Home) -> None:
    number = (await _waiting(home))[0]["bill"]["number"]
    for words, sentence in (
        (("review", "show", "[no] such bill"), "No bill of this workspace has this id or number."),
        (("trail", "show", "nothing"), "No bill of this workspace has this id or number."),
        (("review", "approve", number, "--link-to", "x"), "That supplier invoice is none of the candidates"),
        (("review", "list", "--workspace", _UNKNOWN), "There is no such workspace here."),
        (("programs", "list", "--workspace", _UNKNOWN), "There is no such workspace here."),
        (("workspace", "erase", "--yes", "--workspace", _UNKNOWN), "There is no such workspace here."),
        (("demo",), "Another process runs the installation in "),
        (("connect", "xero"), "Start `well up` first"),
    ):
        ended = await home.run(*words)
        assert (ended.status, ended.output) == (1, ""), ended.complaint
        assert ended.complaint.startswith(sentence)


async def _an_answer_is_taken_once_and_stands_in_the_trail(home: Home) -> None:
    refused = next(view for view in await _waiting(home) if view["posting"] == "rejected")
    number = refused["bill"]["number"]
    answered = _went_well(await home.run("review", "reject", number, "--note", "Paid [by card]."))
    assert answered.output == f"✓ {number} is left alone.\n"

    async def is_decided_again() -> list[str]:
        events = _went_well(await home.run("trail", "show", number, "--json")).lines
        types = [event["payload"]["type"] for event in events]
        return types if types[-1] == "MatchDecided" else []

    assert (await until(is_decided_again))[-2:] == ["SignedOff", "MatchDecided"]
    assert "“Paid [by card].”" in _went_well(await home.run("trail", "show", number, COLUMNS="140")).output
    assert refused["record"] not in [view["record"] for view in await _waiting(home)]
    again = await home.run("review", "reject", number)
    assert (again.status, again.output) == (1, "")
    assert "does not wait for an answer" in again.complaint


async def _a_reader_gets_a_grant_that_can_be_taken_back(home: Home) -> None:
    grant = _went_well(await home.run("topics", "grant", "--reader", "payments team")).output.strip()
    assert grant.partition(".")[0] == json.loads((home.installation / "state.json").read_text())["workspace"].replace(
        "-", ""
    )
    _went_well(await home.run("topics", "take-back", WELL_GRANT=grant))
    again = await home.run("topics", "take-back", WELL_GRANT=grant)
    assert (again.status, again.complaint) == (1, "This grant is unknown, or has ended already.\n")


async def _keys_are_replaced_while_it_works(home: Home) -> None:
    rotated = _went_well(await home.run("keys", "rotate", "--purpose", "payloads")).output
    assert "payloads: key 2 seals from " in rotated
    wrapped = _went_well(await home.run("keys", "rewrap")).output
    keys = int(wrapped.split()[1])
    assert wrapped.strip() == f"✓ {keys} keys, 0 of them wrapped anew."
    assert keys > 2 * len(("tokens", "payloads", "documents", "index"))
    killed = await home.run("keys", "rewrap", "--new-key", WELL_CRASH_AT="auth.rewrapped:3")
    assert (killed.status, killed.output) == (-signal.SIGKILL, "")
    rest = _went_well(await home.run("keys", "rewrap")).output
    assert rest.strip() == f"✓ {keys} keys, {keys - 3} of them wrapped anew."
    assert await _waiting(home)  # opened with keys under the new key-encryption key


async def _a_restored_database_says_whose_it_is(home: Home) -> None:
    state = home.installation / "state.json"
    remembered, waiting = state.read_text("utf-8"), await _waiting(home)
    state.unlink()
    assert await _waiting(home) == waiting
    assert json.loads(state.read_text("utf-8")) == {"workspace": json.loads(remembered)["workspace"]}
    await _connected_too(home, _UNKNOWN)
    state.unlink()
    ended = await home.run("review", "list")
    assert (ended.status, ended.complaint) == (1, "Say which workspace, with --workspace.\n")
    state.write_text(remembered, "utf-8")


async def _connected_too(home: Home, workspace: str) -> None:
    server = await start_embedded(home.installation / "pg")
    try:
        connection = await asyncpg.connect(server.dsn)
        row = "INSERT INTO auth.workspace (workspace, region, made_at, connected_at) VALUES ($1, 'eu', now(), now())"
        await connection.execute(row, workspace)
        await connection.close()
    finally:
        await server.stop()


async def _the_workspace_is_erased(home: Home) -> None:
    workspace = json.loads((home.installation / "state.json").read_text())["workspace"]
    asked = await home.run("workspace", "erase")
    assert asked.status == 1
    assert f"Workspace {workspace} will be erased, for ever" in asked.output
    assert "What stands in logs and on topics stays there" in asked.output  # wrapped for this width and no other
    killed = await home.run("workspace", "erase", "--yes", WELL_CRASH_AT="auth.before_erased")
    assert (killed.status, killed.output) == (-signal.SIGKILL, "")
    assert await _waiting(home)
    erased = await home.run("workspace", "erase", "--yes")  # the stand-ins of both providers have ended
    assert erased.status == 0
    assert erased.output == f"✓ Workspace {workspace} is erased.\n"
    assert [line.split(" was not told")[0] for line in erased.complaint.splitlines()] == ["Xero", "Qonto"]
    gone = await home.run("review", "list")
    assert (gone.status, gone.complaint) == (1, "This workspace was erased: its keys are destroyed.\n")


async def test_before_anything_was_started_each_command_says_what_to_do_first(home: Home) -> None:
    for words, sentence in (
        (("review", "list"), "Nothing was started here yet. Try: well demo"),
        (("trail", "show", "R-1"), "Nothing was started here yet. Try: well demo"),
        (("topics", "grant", "--reader", "payments team"), "Nothing was started here yet. Try: well demo"),
    ):
        ended = await home.run(*words)
        assert (ended.status, ended.output) == (1, "")
        assert ended.complaint.startswith(sentence)
    loud = await home.run("review", "list", WELL_LOG="loud")
    assert (loud.status, loud.output, loud.complaint) == (
        1,
        "",
        "WELL_LOG is loud; it may be debug, info, warning or error.\n",
    )
    first, second = await home.run("up"), await home.run("up")
    assert (first.status, first.output) == (1, "")
    assert first.complaint.startswith("These variables are not set:\n  XERO_CLIENT_ID: ")
    assert "/connect/qonto/callback" in first.complaint
    assert second.complaint == first.complaint  # what was registered stays right


async def test_a_killed_demo_whose_own_program_was_ended_is_connected_again(home: Home) -> None:
    running = home.start("demo", "--json")
    await running.said(LINES)
    (own,) = (await home.run("programs", "list", "--json")).lines
    _went_well(await home.run("programs", "end", own["id"], "--yes"))
    running.process.kill()
    await running.ended()
    again = home.start("demo", "--json")
    await again.said(LINES)
    (other,) = (await home.run("programs", "list", "--json")).lines
    assert (other["name"], other["id"] == own["id"]) == (own["name"], False)
    again.process.send_signal(signal.SIGINT)
    assert (await again.ended()).status == 0


async def test_ports_that_others_took_meanwhile_are_replaced(home: Home) -> None:
    command = ("demo", "--json", "--bills", str(bills_file(home.folder, 2)))
    first = home.start(*command)
    await first.said(LINES)
    first.process.send_signal(signal.SIGTERM)
    assert (await first.ended()).status == 0
    state = home.installation / "state.json"
    ports: dict[str, int] = json.loads(state.read_text("utf-8"))["ports"]
    taken = [socket.create_server(("127.0.0.1", port)) for port in ports.values()]
    try:
        second = home.start(*command)
        _, figures = await second.said(LINES)
    finally:
        for server in taken:
            server.close()
    assert_nothing_is_amiss(figures)
    later: dict[str, int] = json.loads(state.read_text("utf-8"))["ports"]
    assert all(later[name] != port for name, port in ports.items())


def _went_well(ended: Ended) -> Ended:
    assert (ended.status, ended.complaint) == (0, "")
    return ended
