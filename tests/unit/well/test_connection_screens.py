"""Connections on a terminal: what there is, and what to do about what does not work."""

from __future__ import annotations

from dataclasses import replace
from io import StringIO

import pytest
from rich.console import Console, RenderableType

from libs.contracts.identity import UNKNOWN_ACCOUNT
from libs.qonto.endpoints import BANK_SCOPES, SCOPES
from services.auth.domain.connection import Account, ConnectionState
from tests.unit.auth.test_connection import ACTIVE
from well.commands.connection_screens import asked_for, connected, listed

XERO = replace(
    ACTIVE, provider="xero", account=Account("tenant", "Atelier Marchand"), scopes=("accounting.payments.read",)
)

READS_BANK = "read the organization, its accounts and transactions"


def printed(screen: RenderableType, *, width: int = 100) -> str:
    out = StringIO()
    Console(file=out, width=width).print(screen)
    return out.getvalue()


def test_nothing_connected_names_the_first_step() -> None:
    assert printed(listed([], "well", read=False)).splitlines()[-1].endswith("well connect xero")


def test_each_connection_says_what_it_allows_or_what_to_do() -> None:
    shown = printed(listed([XERO, replace(ACTIVE, state="lost")], "well", read=True))
    assert shown.splitlines() == [  # to the last space, so that what is copied is what is read
        "✓ Xero: Atelier Marchand",
        "  • read payments",
        "✗ Qonto: Maison Tilleul",
        "  Qonto no longer lets Well in. Connect it again; Well then goes on where it stopped.",
        "  To connect it again: well connect qonto",
    ]


def test_a_refused_connection_is_left_to_well() -> None:
    shown = printed(listed([replace(ACTIVE, state="refused")], "well", read=False))
    assert "Well tries again by itself; nothing is lost meanwhile." in shown
    assert "connect it again" not in shown


def test_what_comes_next_is_named_until_both_are_connected() -> None:
    assert printed(connected(XERO, [XERO], "well")).splitlines()[-1] == "Next: well connect qonto"
    assert "Next" not in printed(connected(XERO, [XERO, ACTIVE], "well"))


def test_an_organization_that_qonto_does_not_name_is_shown_by_its_id_or_not_at_all() -> None:
    nameless = replace(ACTIVE, account=Account("0d0c0de0", ""))
    unknown = replace(ACTIVE, account=Account(UNKNOWN_ACCOUNT, ""))
    assert "Qonto is connected: organization 0d0c0de0." in printed(connected(nameless, [XERO, nameless], "well"))
    assert "Qonto is connected." in printed(connected(unknown, [XERO, unknown], "well"))


@pytest.mark.parametrize(("state", "read"), [("active", False), ("refused", False), ("active", True), ("lost", False)])
def test_where_no_program_may_read_xero_it_is_said_and_what_to_do(state: ConnectionState, *, read: bool) -> None:
    shown = printed(listed([replace(XERO, state=state), ACTIVE], "well", read=read))
    unread = state != "lost" and not read
    assert ("No program may read it, not even Well's own." in shown) is unread
    assert ("To connect it again: well connect xero" in shown) is (unread or state == "lost")
    assert "well connect qonto" not in shown


def test_what_is_not_asked_for_is_said_too() -> None:
    assert "can change nothing in Xero" in printed(asked_for("xero", None, bank_matching=None))
    assert "no account and no transaction" in printed(asked_for("qonto", None, bank_matching=None))
    assert READS_BANK in printed(asked_for("qonto", None, bank_matching=True))


def test_what_was_turned_on_before_is_asked_for_again_until_it_is_turned_off() -> None:
    on = replace(ACTIVE, scopes=(*SCOPES, *BANK_SCOPES))
    assert READS_BANK in printed(asked_for("qonto", on, bank_matching=None))
    assert "--no-bank-matching" in printed(asked_for("qonto", on, bank_matching=None))
    assert READS_BANK not in printed(asked_for("qonto", on, bank_matching=False))


def test_on_a_narrow_terminal_a_permission_goes_on_under_its_own_words() -> None:
    shown = printed(asked_for("qonto", None, bank_matching=True), width=40).splitlines()
    place = shown.index("  • read the organization, its accounts")
    assert shown[place + 1] == "    and transactions in Qonto"
