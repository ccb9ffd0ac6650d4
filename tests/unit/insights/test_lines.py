"""What is counted of a record, when, and how long its stages are said to take."""

from __future__ import annotations

from itertools import count
from uuid import UUID

from services.insights.domain.figures import Figures, Windows
from services.insights.domain.lines import MOMENTS_MAX, Line, Moment, Step, folded
from services.insights.domain.tally import HOUR_MS, KEPT_MS, tally_of

WORKSPACE = UUID(int=1)


def line_of(*moments: tuple[int, Step]) -> Line:
    """A line of these moments, numbered as they are given."""
    numbers = count(1)
    line: Line = ()
    for at_ms, step in moments:
        line = folded(line, Moment(at_ms, step, next(numbers)))
    return line


def figures(*lines: Line) -> Figures:
    """The figures of a workspace with these records."""
    windows = Windows()
    for line in lines:
        windows.change(WORKSPACE, tally_of(()), tally_of(line))
    return windows.of(WORKSPACE, 0)[1]


def test_a_bill_is_counted_at_every_step_and_each_stage_is_measured() -> None:
    told = figures(
        line_of(
            (1000, Step.PULLED),
            (1007, Step.NORMALIZED),
            (1010, Step.DECIDED_POST),
            (1015, Step.FETCHED),
            (1016, Step.POSTED),
            (1029, Step.VERIFIED),
        )
    )
    assert (told.pulled, dict(told.decided), told.queued, told.posted, told.refused) == (1, {"post": 1}, 0, 1, 0)
    assert {name: stage.p95_ms for name, stage in told.stages.items()} == {
        "normalize": 7,
        "decide": 3,
        "fetch": 5,
        "post": 1,
        "verify": 13,
    }


def test_what_qonto_refuses_is_no_posting_and_ends_the_stage() -> None:
    told = figures(line_of((0, Step.FETCHED), (4, Step.REFUSED)))
    assert (told.posted, told.refused, told.stages["post"].p95_ms) == (0, 1, 4)


def test_a_bill_that_waits_for_a_person_is_not_queued_again_by_the_next_look() -> None:
    waits = (0, Step.DECIDED_REVIEW), (1, Step.DECIDED_REVIEW)
    assert figures(line_of(*waits)).queued == 1
    assert figures(line_of(*waits, (2, Step.DECIDED_LINK), (3, Step.DECIDED_REVIEW))).queued == 2
    assert figures(line_of((0, Step.DECIDED_REVIEW), (KEPT_MS + 1, Step.DECIDED_REVIEW))).queued == 2


def test_a_decision_made_again_does_not_begin_at_the_old_normalizing() -> None:
    told = figures(line_of((0, Step.NORMALIZED), (2, Step.DECIDED_UNMATCHED), (HOUR_MS, Step.DECIDED_LINK)))
    assert (told.stages["decide"].count, told.stages["decide"].p95_ms) == (1, 2)


def test_a_stage_begins_with_the_last_that_began_it() -> None:
    told = figures(line_of((0, Step.PULLED), (10, Step.PULLED), (12, Step.NORMALIZED), (13, Step.NORMALIZED)))
    assert (told.stages["normalize"].count, told.stages["normalize"].p95_ms) == (1, 2)


def test_what_happened_in_one_millisecond_stands_in_the_order_of_the_stages() -> None:
    assert figures(line_of((5, Step.NORMALIZED), (5, Step.PULLED))).stages["normalize"].p95_ms == 0


def test_a_stage_that_took_longer_than_what_is_shown_is_not_measured() -> None:
    assert figures(line_of((0, Step.DECIDED_REVIEW), (KEPT_MS + 1, Step.SIGNED_OFF))).stages == {}
    assert figures(line_of((0, Step.DECIDED_REVIEW), (KEPT_MS, Step.SIGNED_OFF))).stages["sign_off"].count == 1


def test_a_stage_belongs_to_the_hour_in_which_it_ended() -> None:
    windows = Windows()
    windows.change(WORKSPACE, tally_of(()), tally_of(line_of((HOUR_MS - 1, Step.PULLED), (HOUR_MS, Step.NORMALIZED))))
    (first, second), _ = windows.of(WORKSPACE, 0)
    assert (first.figures.pulled, dict(first.figures.stages)) == (1, {})
    assert (second.figures.pulled, second.figures.stages["normalize"].p95_ms) == (0, 1)
    assert second.begins.isoformat() == "1970-01-01T01:00:00+00:00"


def test_only_the_hours_that_are_asked_for_are_told_and_only_of_the_workspace() -> None:
    windows = Windows()
    windows.change(WORKSPACE, tally_of(()), tally_of(line_of((0, Step.PULLED), (5 * HOUR_MS, Step.PULLED))))
    assert windows.of(WORKSPACE, 5)[1].pulled == 1
    assert windows.of(UUID(int=2), 0)[0] == []


def test_a_record_without_end_keeps_its_newest_moments() -> None:
    line = line_of(*((at_ms, Step.PULLED) for at_ms in range(MOMENTS_MAX + 9)))
    assert [moment.at_ms for moment in line] == list(range(9, MOMENTS_MAX + 9))
    assert folded(line, Moment(0, Step.PULLED, 1)) == line
