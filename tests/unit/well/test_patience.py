"""How long the demo waits for what may never come."""

from __future__ import annotations

from services.pusher.domain.retrying import ReadingRule
from well.demo.run import STALL_SECONDS
from well.standin_settings import READING


def test_a_document_that_qonto_never_reads_ends_before_the_demo_calls_itself_stalled() -> None:
    assert READING.bound.total_seconds() + READING.lease_seconds < STALL_SECONDS


def test_the_bound_is_the_sum_of_the_pauses_between_the_looks() -> None:
    assert (
        ReadingRule(first_pause_seconds=1, longest_pause_seconds=4, looks_max=5).bound.total_seconds() == 1 + 2 + 4 + 4
    )
