"""What to do with a connection, asked with plain values."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from libs.contracts.errors import Rejected
from libs.contracts.identity import UNKNOWN_ACCOUNT
from services.auth.domain.connection import (
    LEASE,
    LONGEST_LEASE,
    LONGEST_REST,
    REFRESH_BELOW,
    REFUSED_FOR_GOOD,
    Account,
    Connection,
    TokenPair,
    closed,
    eligible,
    is_refused_again,
    leased,
    next_step,
    refresh_tokens,
    refused,
    rest_left,
    rotated,
)

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
ME = UUID(int=7)
ACTIVE = Connection(
    provider="qonto",
    state="active",
    consent=UUID(int=1),
    account=Account("org", "Maison Tilleul"),
    scopes=("supplier_invoice.read",),
    generation=3,
    expires_at=NOW + timedelta(hours=1),
    rotated_at=NOW,
    access_token="access-3",  # noqa: S106 opens nothing
    refresh_token="refresh-3",  # noqa: S106 opens nothing
    previous_refresh_token="refresh-2",  # noqa: S106 opens nothing
)


def pair(refresh: str | None) -> TokenPair:
    return TokenPair("access-4", refresh, NOW + timedelta(hours=2), ())


@given(left=st.integers(min_value=-10_000, max_value=10_000))
@example(left=119)
@example(left=120)
def test_a_token_is_used_exactly_while_two_minutes_are_left(left: int) -> None:
    connection = replace(ACTIVE, expires_at=NOW + timedelta(seconds=left))
    expected = "use" if timedelta(seconds=left) >= REFRESH_BELOW else "refresh"
    assert next_step(connection, now=NOW, beyond=0) == expected


def test_a_refused_token_is_not_used_again_however_long_it_has_left() -> None:
    assert next_step(ACTIVE, now=NOW, beyond=ACTIVE.generation) == "refresh"


def test_others_wait_while_one_refreshes_and_take_over_when_its_lease_ends() -> None:
    busy = leased(ACTIVE, by=ME, now=NOW)
    assert next_step(busy, now=NOW + LEASE - timedelta(seconds=1), beyond=3) == "wait"
    assert next_step(busy, now=NOW + LEASE, beyond=3) == "refresh"


def test_a_lease_of_a_clock_that_was_set_back_is_not_waited_for() -> None:
    busy = leased(ACTIVE, by=ME, now=NOW)
    assert next_step(busy, now=NOW + LEASE - LONGEST_LEASE, beyond=3) == "wait"
    assert next_step(busy, now=NOW + LEASE - LONGEST_LEASE - timedelta(seconds=1), beyond=3) == "refresh"
    assert timedelta(seconds=60) > LONGEST_LEASE  # docs.qonto.com, refresh tokens: a grace of 60 seconds


def test_what_is_lost_or_was_never_there_is_gone() -> None:
    assert next_step(None, now=NOW, beyond=0) == "gone"
    assert next_step(closed(ACTIVE, "lost"), now=NOW, beyond=0) == "gone"


def test_a_closed_connection_keeps_no_token_and_counts_on() -> None:
    lost = closed(ACTIVE, "lost")
    assert (lost.access_token, lost.refresh_token, lost.previous_refresh_token) == (None, None, None)
    assert lost.generation > ACTIVE.generation


def test_the_spent_refresh_token_is_kept_for_the_grace_and_tried_last() -> None:
    after = rotated(ACTIVE, pair("refresh-4"), now=NOW, forced=False)
    grace = timedelta(seconds=60)
    assert refresh_tokens(after, now=NOW + timedelta(seconds=59), grace=grace) == ("refresh-4", "refresh-3")
    assert refresh_tokens(after, now=NOW + grace, grace=grace) == ("refresh-4",)


def test_a_provider_that_keeps_the_refresh_token_is_believed() -> None:
    after = rotated(ACTIVE, pair(None), now=NOW, forced=False)
    assert (after.refresh_token, after.previous_refresh_token) == ("refresh-3", "refresh-2")


def test_no_secret_stands_in_a_repr() -> None:
    shown = repr(ACTIVE) + repr(pair("refresh-4"))
    assert not any(word in shown for word in ("access-", "refresh-"))


def test_a_refused_connection_keeps_its_tokens_and_rests_for_as_long_as_it_has_been_refused() -> None:
    connection, now, rests = ACTIVE, NOW, []
    while (connection := refused(connection, now=now)).state == "refused":
        assert next_step(connection, now=now, beyond=0) == "rest"
        rests.append(rest_left(connection, now=now))
        now += rests[-1]
        assert next_step(connection, now=now, beyond=0) == "refresh"
        connection = rotated(connection, pair("refresh-4"), now=now, forced=False)
    assert rests[:6] == [timedelta(minutes=minutes) for minutes in (1, 1, 2, 4, 8, 16)]
    assert max(rests) == LONGEST_REST
    assert connection.state == "lost"
    assert connection.refresh_token == "refresh-4"  # noqa: S105 opens nothing
    assert now - NOW < REFUSED_FOR_GOOD + LONGEST_REST
    before = replace(ACTIVE, refused_since=NOW - REFUSED_FOR_GOOD)
    assert refused(before, now=NOW).generation > before.generation


def test_a_clock_set_back_neither_prolongs_a_rest_nor_makes_a_refusal_the_second() -> None:
    resting = refused(ACTIVE, now=NOW)
    assert rest_left(resting, now=NOW - timedelta(days=300)) == LONGEST_REST
    forced = rotated(ACTIVE, pair("refresh-4"), now=NOW, forced=True)
    assert is_refused_again(forced, now=NOW + timedelta(minutes=9))
    assert not is_refused_again(forced, now=NOW - timedelta(hours=2))


def test_a_refusal_of_a_clock_that_was_ahead_does_not_put_off_the_day_after_which_a_person_is_told() -> None:
    ahead = rotated(refused(ACTIVE, now=NOW + timedelta(days=300)), pair("refresh-4"), now=NOW, forced=False)
    again = refused(ahead, now=NOW)
    assert again.refused_since == NOW
    assert refused(again, now=NOW + REFUSED_FOR_GOOD).state == "lost"


A, B, NOBODY = Account("a", "A SAS"), Account("b", "B SAS"), Account(UNKNOWN_ACCOUNT, "")


@pytest.mark.parametrize(
    ("accounts", "before", "expected"),
    [
        ([A], None, [A]),
        ([NOBODY], None, [NOBODY]),
        ([A], NOBODY, [A]),
        ([B, A], A, [A]),
        ([NOBODY], A, [Account("a", "")]),
        ([A, B], None, [A, B]),
        ([A, B], NOBODY, [A, B]),
    ],
)
def test_a_workspace_keeps_the_account_it_has_and_of_several_new_ones_a_person_chooses(
    accounts: list[Account], before: Account | None, expected: list[Account]
) -> None:
    assert list(eligible(accounts, before, "xero")) == expected


@pytest.mark.parametrize(
    ("accounts", "before", "code"),
    [([], None, "no_organisation"), ([], A, "no_organisation"), ([B], A, "another_account")],
)
def test_a_workspace_is_never_connected_to_another_account(
    accounts: list[Account], before: Account | None, code: str
) -> None:
    with pytest.raises(Rejected) as refusal:
        eligible(accounts, before, "xero")
    assert refusal.value.code == code
