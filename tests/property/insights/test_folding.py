"""Figures are the same in whatever order messages come, however often, and however they are split up."""

from __future__ import annotations

import random
from collections import Counter
from math import ceil
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from services.insights.adapters.packed_lines import packed_key, packed_line, unpacked_key, unpacked_line
from services.insights.domain.figures import Windows
from services.insights.domain.histogram import longest_ms, percentile_ms, slot_of
from services.insights.domain.lines import Line, Moment, RecordKey, Step, folded
from services.insights.domain.tally import tally_of

durations = st.integers(0, 2**40)

moments = st.builds(Moment, st.integers(0, 2**42), st.sampled_from(Step), st.integers(1, 2**63 - 1))

keys = st.builds(RecordKey, st.integers(0, 63), st.uuids(), st.binary(min_size=16, max_size=16))


def line_of(told: list[Moment]) -> Line:
    line: Line = ()
    for moment in told:
        line = folded(line, moment)
    return line


@given(durations)
def test_a_slot_holds_its_duration_and_rounds_it_up_by_an_eighth_at_most(duration_ms: int) -> None:
    longest = longest_ms(slot_of(duration_ms))
    assert duration_ms <= longest <= duration_ms + duration_ms // 8
    assert slot_of(longest) == slot_of(duration_ms)
    assert slot_of(longest + 1) == slot_of(duration_ms) + 1


@given(st.lists(durations, min_size=1), st.integers(1, 100))
def test_a_percentile_lies_at_its_rank(told_ms: list[int], percent: int) -> None:
    exact = sorted(told_ms)[ceil(len(told_ms) * percent / 100) - 1]
    assert percentile_ms(Counter(map(slot_of, told_ms)), percent) == longest_ms(slot_of(exact))


@given(st.lists(durations), st.lists(durations))
def test_histograms_are_added_by_adding_counts(one_ms: list[int], other_ms: list[int]) -> None:
    together = Counter(map(slot_of, one_ms)) + Counter(map(slot_of, other_ms))
    assert percentile_ms(together, 95) == percentile_ms(Counter(map(slot_of, one_ms + other_ms)), 95)


def test_of_nothing_there_is_no_percentile() -> None:
    assert percentile_ms({}, 95) is None


@given(st.lists(moments, max_size=300), st.randoms(use_true_random=False))
def test_a_line_is_the_same_in_any_order_and_with_any_repetition(told: list[Moment], chance: random.Random) -> None:
    again = [*told, *chance.sample(told, len(told) // 2)]
    chance.shuffle(again)
    assert line_of(again) == line_of(told)


@given(st.lists(st.tuples(st.integers(0, 3), moments), max_size=60), st.randoms(use_true_random=False))
def test_sums_that_changed_step_by_step_are_those_of_the_lines_at_the_end(
    told: list[tuple[int, Moment]], chance: random.Random
) -> None:
    workspace = UUID(int=1)
    chance.shuffle(told)
    stepwise, lines = Windows(), dict[int, Line]()
    for record, moment in told:
        before = lines.get(record, ())
        lines[record] = folded(before, moment)
        stepwise.change(workspace, tally_of(before), tally_of(lines[record]))
    at_once = Windows()
    for line in lines.values():
        at_once.change(workspace, tally_of(()), tally_of(line))
    assert stepwise.of(workspace, 0) == at_once.of(workspace, 0)


@given(keys, st.lists(moments))
def test_what_is_packed_comes_back_as_it_was(key: RecordKey, told: list[Moment]) -> None:
    assert unpacked_key(packed_key(key)) == key
    assert unpacked_line(packed_line(tuple(told))) == tuple(told)
