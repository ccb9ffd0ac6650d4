"""How long the demo waits for what may never come, and what it says then."""

from __future__ import annotations

from services.pusher.domain.retrying import ReadingRule
from well.demo.closing import unfinished
from well.demo.progress import _not_connected
from well.demo.run import STALL_SECONDS
from well.demo.summary import Summary
from well.standin_settings import READING


def test_a_document_that_qonto_never_reads_ends_before_the_demo_calls_itself_stalled() -> None:
    assert READING.bound.total_seconds() + READING.lease_seconds < STALL_SECONDS


def test_the_bound_is_the_sum_of_the_pauses_between_the_looks() -> None:
    assert (
        ReadingRule(first_pause_seconds=1, longest_pause_seconds=4, looks_max=5).bound.total_seconds() == 1 + 2 + 4 + 4
    )


def test_bills_without_an_end_are_told_with_what_holds_them_up_and_what_to_do() -> None:
    some, one = (
        Summary.model_validate({**dict.fromkeys(Summary.model_fields, 0), "lost": lost}) for lost in (7_000, 1)
    )
    told = "7,000 bills are not finished. Xero is away. Start the same command again: it goes on from here."
    assert unfinished(some, "Xero is away.") == told
    assert unfinished(one, None).startswith("1 bill is not finished. Start the same command again")


def test_a_connection_that_is_lost_holds_a_run_up() -> None:
    assert _not_connected({"xero": "lost", "qonto": "active"}) == "The connection to Xero is lost."
    assert _not_connected({"xero": "active", "qonto": "active"}) is None
