"""What one record adds to the figures of each hour. Figures of a workspace are the sum over its records."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple, TypeAlias

from services.insights.domain.histogram import slot_of
from services.insights.domain.lines import DECIDED, Line, Moment, Step

HOUR_MS: Final = 3_600_000
"""Milliseconds of a window. An hour shows a bad morning, and a day of them fits on a screen."""

KEPT_HOURS: Final = 168
"""Hours that are shown: a week, so that a Monday can be compared with the last one."""

KEPT_MS: Final = KEPT_HOURS * HOUR_MS

FORGOTTEN_AFTER_MS: Final = 2 * KEPT_MS
"""Milliseconds. What is older adds to no hour that is shown, not even as the beginning of a stage, which is measured
only when it took no longer than `KEPT_MS`: whoever kept it and whoever never read it have the same figures."""


@dataclass(frozen=True)
class Stage:
    """A way that a record goes, from the last of `begins` to the first of `ends` behind it."""

    name: str
    begins: frozenset[Step]
    ends: frozenset[Step]


STAGES: Final = (
    Stage("normalize", frozenset({Step.PULLED}), frozenset({Step.NORMALIZED})),
    Stage("decide", frozenset({Step.NORMALIZED}), frozenset(DECIDED.values())),
    Stage("sign_off", frozenset({Step.DECIDED_REVIEW}), frozenset({Step.SIGNED_OFF})),
    Stage("fetch", frozenset({Step.DECIDED_POST}), frozenset({Step.FETCHED})),
    Stage("post", frozenset({Step.FETCHED}), frozenset({Step.POSTED, Step.REFUSED})),
    Stage("verify", frozenset({Step.POSTED}), frozenset({Step.VERIFIED})),
)
"""Every stage, in the order that a bill takes them. A decision made again begins nothing that was decided before."""

_VERDICTS: Final = {step: verdict for verdict, step in DECIDED.items()}

_COUNTED: Final = {Step.PULLED: "pulled", Step.POSTED: "posted", Step.REFUSED: "refused"} | {
    step: f"decided/{verdict}" for step, verdict in _VERDICTS.items()
}


class Cell(NamedTuple):
    """One count.

    Attributes:
        hour: Whole hours since 1970.
        figure: `pulled`, `posted`, `refused`, `queued`, `decided/<verdict>` or `stage/<name>`.
        slot: Of the durations of a stage; 0 for everything else.
    """

    hour: int
    figure: str
    slot: int = 0


Tally: TypeAlias = Counter[Cell]


def tally_of(line: Line) -> Tally:
    """What a record adds."""
    tally: Tally = Counter()
    for moment in line:
        if moment.step in _COUNTED:
            tally[Cell(_hour(moment), _COUNTED[moment.step])] += 1
    for moment in _queued(line):
        tally[Cell(_hour(moment), "queued")] += 1
    for stage in STAGES:
        for end, duration_ms in _measured(stage, line):
            tally[Cell(_hour(end), f"stage/{stage.name}", slot_of(duration_ms))] += 1
    return tally


def _queued(line: Line) -> Iterator[Moment]:
    """The decisions that put the record before a person: a review again, after a review, does not."""
    before: Moment | None = None
    for moment in line:
        if moment.step not in _VERDICTS:
            continue
        waits = before is not None and before.step == Step.DECIDED_REVIEW and moment.at_ms - before.at_ms <= KEPT_MS
        if moment.step == Step.DECIDED_REVIEW and not waits:
            yield moment
        before = moment


def _measured(stage: Stage, line: Line) -> Iterator[tuple[Moment, int]]:
    begun_ms: int | None = None
    for moment in line:
        if moment.step in stage.begins:
            begun_ms = moment.at_ms
        elif moment.step in stage.ends:
            if begun_ms is not None and moment.at_ms - begun_ms <= KEPT_MS:
                yield moment, moment.at_ms - begun_ms
            begun_ms = None


def _hour(moment: Moment) -> int:
    return moment.at_ms // HOUR_MS
