"""When to look, to send again, to give up."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from services.pusher.domain.posting import State
from services.pusher.domain.retrying import KEY_LIFE_SECONDS, Next, ReadingRule, RetryRule
from tests.unit.pusher.stories import NOW, posting

RULE = RetryRule()
SENT_ONCE = replace(posting(State.UNKNOWN), attempt=1, lost=1, first_sent_at=NOW, last_sent_at=NOW)


def after(seconds: float, *, wanted: bool = True, **fields: object) -> Next:
    """What follows a look that began so long after the first sending and found nothing."""
    tried = replace(SENT_ONCE, **fields)  # type: ignore[arg-type]  # fields of a posting
    return RULE.after_nothing_found(tried, asked_at=NOW + timedelta(seconds=seconds), wanted=wanted)


def test_a_look_while_the_request_may_still_run_proves_nothing() -> None:
    assert after(RULE.running_seconds - 1) is Next.LOOK_AGAIN


def test_within_the_life_of_the_key_it_is_sent_again_once_no_request_can_run() -> None:
    assert after(RULE.running_seconds) is Next.SEND_AGAIN
    assert after(RULE.key_safe_seconds - 1) is Next.SEND_AGAIN


def test_beyond_the_life_of_the_key_a_longer_silence_must_have_passed_since_the_last_sending() -> None:
    sent_again = NOW + timedelta(minutes=24)
    assert after(26 * 60, last_sent_at=sent_again) is Next.LOOK_AGAIN
    assert after(24 * 60 + RULE.silence_seconds, last_sent_at=sent_again) is Next.SEND_AGAIN


def test_a_clock_that_went_backwards_makes_it_wait() -> None:
    assert after(-3600) is Next.LOOK_AGAIN


def test_what_is_no_longer_wanted_is_withdrawn_only_on_a_look_that_proves_something() -> None:
    assert after(RULE.running_seconds - 1, wanted=False) is Next.LOOK_AGAIN
    assert after(RULE.running_seconds, wanted=False) is Next.WITHDRAW


def test_a_person_is_asked_when_answers_were_lost_too_often_or_too_much_was_tried() -> None:
    assert after(RULE.running_seconds, lost=RULE.lost_max) is Next.GIVE_UP
    assert after(RULE.running_seconds, attempt=RULE.attempts_max) is Next.GIVE_UP


def test_pauses_double_up_to_the_longest() -> None:
    assert [RULE.pause(times).total_seconds() for times in range(1, 11)] == [5, 10, 20, 40, 80, 160, 320, 640, 900, 900]
    assert [ReadingRule().pause(looks).total_seconds() for looks in (1, 2, 3)] == [2, 4, 8]


def test_what_qonto_asks_for_is_waited_for_but_never_beyond_the_longest_pause() -> None:
    waits = [RULE.pause_after_refusal(attempt, asked) for attempt, asked in ((1, None), (1, 20), (9, 20), (1, 3600))]
    assert [wait.total_seconds() for wait in waits] == [5, 20, 900, 900]


def test_a_repeat_decided_at_the_last_safe_moment_still_reaches_qonto_within_the_life_of_its_key() -> None:
    assert RULE.key_safe_seconds + RULE.lease_seconds + RULE.request_seconds < KEY_LIFE_SECONDS


def test_a_lease_outlasts_its_request_and_the_quiet_time_outlasts_both() -> None:
    assert RULE.request_seconds < RULE.lease_seconds
    assert RULE.request_seconds < RULE.running_seconds


def test_times_that_contradict_each_other_are_all_named_at_once() -> None:
    with pytest.raises(ValueError, match=r"lost_max.*lease_seconds.*running_seconds.*key_safe_seconds.*no pause"):
        RetryRule(lost_max=0, lease_seconds=10, running_seconds=10, key_safe_seconds=1800, longest_pause_seconds=901)
