"""How a process stands at one moment: plain values, whatever tells them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

UNREADY_FAILURES: Final = 6
"""Failures in a row, some ten seconds, after which a consumer or worker counts as held up: a lost race or a provider's
hiccup is over by then, and nothing should be sent here that would wait behind it."""


@dataclass(frozen=True)
class GroupStanding:
    """A member of a consumer group."""

    name: str
    failures: int
    lag: int
    parked: int
    sentence: str | None


@dataclass(frozen=True)
class WorkerStanding:
    """A job. `resting` counts the workspaces that failed and are tried again later."""

    name: str
    failures: int
    resting: int
    sentence: str | None


@dataclass(frozen=True)
class BudgetStanding:
    """What is left of a provider's budget of calls, over all accounts this process has asked about.

    Attributes:
        provider: Whose.
        accounts: How many.
        least_left_today: Calls left today for the account that has the fewest.
        closed: Accounts that the provider told to wait.
    """

    provider: str
    accounts: int
    least_left_today: int
    closed: int


@dataclass(frozen=True)
class Standing:
    """A process at one moment. `checks` holds why something is not there; None when it is."""

    service: str
    version: str
    checks: Mapping[str, str | None]
    groups: tuple[GroupStanding, ...]
    workers: tuple[WorkerStanding, ...]
    positions: Mapping[str, Mapping[str, Mapping[int, int]]]
    budgets: tuple[BudgetStanding, ...]

    @property
    def at_work(self) -> tuple[GroupStanding | WorkerStanding, ...]:
        """Groups and workers."""
        return (*self.groups, *self.workers)

    @property
    def held_up(self) -> dict[str, str]:
        """What keeps the process from its work, by name, each with a sentence; empty when it is ready."""
        away = {name: problem for name, problem in self.checks.items() if problem is not None}
        stuck = {
            each.name: each.sentence or "It fails again and again."
            for each in self.at_work
            if each.failures >= UNREADY_FAILURES
        }
        return {**away, **stuck}
