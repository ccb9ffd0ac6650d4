"""Errors say what the caller must do, in a sentence."""

from __future__ import annotations

import pytest

from libs.contracts.errors import ConsentLost, Malformed, OutcomeUnknown, Rejected, Stale, Transient, WellError

KINDS = (Transient, Rejected, Malformed, ConsentLost, OutcomeUnknown, Stale)


def test_there_are_six_things_a_caller_may_have_to_do_and_each_is_its_own() -> None:
    assert set(WellError.__subclasses__()) == set(KINDS)
    assert [kind.__subclasses__() for kind in KINDS] == [[]] * 6


@pytest.mark.parametrize(
    "error",
    [
        Transient("It is busy.", retry_after_seconds=3),
        Rejected("It refused.", code="refused"),
        Malformed("It is broken."),
        ConsentLost("Reconnect it."),
        OutcomeUnknown("Look first."),
        Stale("Read again."),
    ],
    ids=lambda error: type(error).__name__,
)
def test_each_carries_its_sentence(error: WellError) -> None:
    assert str(error) == error.sentence
    assert error.sentence.endswith(".")


def test_what_is_counted_has_a_code() -> None:
    assert Rejected("It refused.", code="too_large").code == "too_large"
    assert Malformed("It is broken.").code == "malformed"
    assert Malformed("It is broken.", code="bad_date").code == "bad_date"


def test_a_wait_is_known_only_when_the_other_side_said_it() -> None:
    assert Transient("It is busy.").retry_after_seconds is None
    assert Transient("It is busy.", retry_after_seconds=2.5).retry_after_seconds == 2.5
