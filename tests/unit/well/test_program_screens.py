"""Programs on a terminal: whose word there is for each, and the way to end one."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from io import StringIO
from uuid import UUID

import pytest
from rich.console import Console, RenderableType

from libs.contracts.errors import Rejected
from services.auth.domain.program import Program
from well.commands.program_screens import ended, listed
from well.commands.programs import chosen_of

LEDGER = Program(
    consent=UUID("a1b2c3d4-0000-4000-8000-000000000001"),
    client_name="Ledger",
    redirect_host="localhost:53112",
    document_host="",
    scopes=("xero.read",),
    allowed_at=datetime(2026, 11, 1, tzinfo=UTC),
    read_at=datetime(2026, 11, 26, tzinfo=UTC),
)

REPORTS = replace(
    LEDGER,
    consent=UUID("a1b2ffff-0000-4000-8000-000000000001"),
    client_name="Reports",
    document_host="reports.example",
)


def printed(screen: RenderableType) -> str:
    out = StringIO()
    Console(file=out, width=100).print(screen)
    return out.getvalue()


def test_nothing_to_end_is_said() -> None:
    assert printed(listed([], "well")).splitlines() == [
        "No program reads your Xero through Well, not even Well's own.",
        "To have Well read it: well connect xero",
    ]


def test_whoever_ended_well_itself_is_told_the_way_back() -> None:
    assert printed(ended(LEDGER, "well")).splitlines() == [
        "✓ Ledger reads no more.",
        "If it was Well's own, Well reads nothing until you connect Xero again: well connect xero",
    ]


def test_each_says_by_whose_word_it_is_known_and_when_it_read() -> None:
    assert printed(listed([LEDGER, REPORTS], "well")).splitlines() == [
        "● Ledger  a1b2c3d4",
        "  Nobody has checked this name; it answers to localhost:53112.",
        "  Allowed on 2026-11-01, last read on 2026-11-26.",
        "● Reports  a1b2ffff",
        "  Described at reports.example; it answers to localhost:53112.",
        "  Allowed on 2026-11-01, last read on 2026-11-26.",
        "",
        "They can change nothing. To end one: well programs end a1b2c3d4",
    ]


@pytest.mark.parametrize("named", ["a1b2c", "A1B2C3D4", str(LEDGER.consent)])
def test_one_is_named_by_how_its_id_begins(named: str) -> None:
    assert chosen_of([LEDGER, REPORTS], named) is LEDGER


@pytest.mark.parametrize(
    ("named", "code"), [("a1b2", "which_program"), ("b", "no_such_program"), ("", "no_such_program")]
)
def test_nothing_is_ended_that_is_not_named_for_certain(named: str, code: str) -> None:
    with pytest.raises(Rejected) as refused:
        chosen_of([LEDGER, REPORTS], named)
    assert refused.value.code == code


def test_where_several_are_named_each_is_told_apart() -> None:
    with pytest.raises(Rejected, match=r"'a1b2': a1b2c3d4-000, a1b2ffff-000\.$"):
        chosen_of([LEDGER, REPORTS], "a1b2")
