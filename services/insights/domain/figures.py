"""Figures of workspaces by the hour, as people read them."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

from services.insights.domain.histogram import percentile_ms
from services.insights.domain.tally import STAGES, Cell, Tally

_PERCENT: Final = 95
"""Of 100 that took no longer: the one in twenty that a person notices."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class StageFigures:
    """How long one stage took.

    Attributes:
        count: How often it was gone.
        p95_ms: Milliseconds that 95 of 100 did not exceed, at most an eighth above the exact value.
    """

    count: int
    p95_ms: int


@dataclass(frozen=True)
class Figures:
    """What happened in one stretch of time.

    Attributes:
        pulled: Versions of records that came from a provider.
        decided: Decisions, by verdict.
        queued: Bills that began to wait for a person.
        posted: Documents that Qonto has.
        refused: Documents that will not be posted as they are.
        stages: Those that ended in it.
    """

    pulled: int
    decided: Mapping[str, int]
    queued: int
    posted: int
    refused: int
    stages: Mapping[str, StageFigures]


@dataclass(frozen=True)
class Window:
    """An hour, and what happened in it."""

    begins: datetime
    figures: Figures


class Windows:
    """The sums of all workspaces. What is added is taken away again in the same way, so nothing drifts."""

    def __init__(self) -> None:
        self._by_workspace: defaultdict[UUID, Tally] = defaultdict(Counter)

    def change(self, workspace: UUID, before: Tally, after: Tally) -> None:
        """Put what a record adds now in the place of what it added before."""
        sums = self._by_workspace[workspace]
        for cell in before.keys() | after.keys():
            sums[cell] += after[cell] - before[cell]
            if not sums[cell]:
                del sums[cell]
        if not sums:
            del self._by_workspace[workspace]

    def of(self, workspace: UUID, first_hour: int) -> tuple[list[Window], Figures]:
        """The hours of a workspace from one on in which something happened, and all of them together."""
        hours: defaultdict[int, Tally] = defaultdict(Counter)
        together: Tally = Counter()
        for cell, count in self._by_workspace.get(workspace, Counter()).items():
            if cell.hour >= first_hour:
                hours[cell.hour][cell] += count
                together[cell._replace(hour=0)] += count
        windows = [Window(_EPOCH + timedelta(hours=hour), figures_of(hours[hour].items())) for hour in sorted(hours)]
        return windows, figures_of(together.items())


def figures_of(counts: Iterable[tuple[Cell, int]]) -> Figures:
    """Counts by their names, whatever their hours."""
    plain: Counter[str] = Counter()
    slots: defaultdict[str, Counter[int]] = defaultdict(Counter)
    for cell, count in counts:
        kind, _, name = cell.figure.partition("/")
        if kind == "stage":
            slots[name][cell.slot] += count
        else:
            plain[cell.figure] += count
    return Figures(
        pulled=plain["pulled"],
        decided={figure.partition("/")[2]: plain[figure] for figure in sorted(plain) if figure.startswith("decided/")},
        queued=plain["queued"],
        posted=plain["posted"],
        refused=plain["refused"],
        stages={
            stage.name: StageFigures(slots[stage.name].total(), percentile_ms(slots[stage.name], _PERCENT) or 0)
            for stage in STAGES
            if stage.name in slots
        },
    )
