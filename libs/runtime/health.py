"""Asks the parts of a process how they stand. `health_http.py` and `health_grpc.py` tell it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from typing import Final, Protocol, TypeVar

from prometheus_client import CollectorRegistry, Gauge

from libs.bus.carrier import Carrier
from libs.bus.port import Subscription
from libs.contracts.errors import WellError
from libs.runtime.rounds import Rounds
from libs.runtime.standing import BudgetStanding, GroupStanding, Standing, WorkerStanding

PART_SECONDS: Final = 3.0
"""Seconds for one part of an answer. Probes commonly give up after five, and a count takes milliseconds."""

Known = TypeVar("Known")

Positions = Callable[[Subscription], Awaitable[Mapping[str, Mapping[int, int]]]]
"""How far a group is: by topic, the sequence it has dealt with in each bucket."""


@dataclass(frozen=True)
class Check:
    """Something that the process needs.

    Attributes:
        name: What it is called in answers.
        ask: Returns when it is there; raises one of our errors when not, and may take its time.
        sentence: What is said when it is not there.
    """

    name: str
    ask: Callable[[], Awaitable[object]]
    sentence: str


class Job(Protocol):
    """Something that is done again and again, and tells how it goes: a worker, or the relay of a log."""

    @property
    def name(self) -> str:
        """For logs and health."""
        ...

    @property
    def failures(self) -> int:
        """Failures in a row; 0 when it went well last."""
        ...

    @property
    def rounds(self) -> Rounds | None:
        """The workspaces it visits, and which of them rest; None when it visits none."""
        ...

    @property
    def last_sentence(self) -> str | None:
        """Why the last failure failed; None when it went well last."""
        ...


class Reads(Protocol):
    """A member of a consumer group that is no carrier: it keeps its place itself and hands nothing to a handler."""

    @property
    def standing(self) -> GroupStanding:
        """How it stands."""
        ...

    @property
    def dead(self) -> str | None:
        """Why only a new start helps; None while it lives."""
        ...


class Health:
    """Asks the parts of one process.

    Args:
        service: What the process runs.
        checks: What it needs.
        carriers: Its members of consumer groups.
        workers: Its jobs.
        positions: Tells how far a group is; None where nobody needs to know.
        budgets: Tells what is left of providers' budgets.
        readings: Its members of consumer groups that are no carriers.
    """

    def __init__(
        self,
        service: str,
        *,
        checks: Sequence[Check],
        carriers: Sequence[Carrier],
        workers: Sequence[Job],
        positions: Positions | None = None,
        budgets: Callable[[], Sequence[BudgetStanding]] = tuple,
        readings: Sequence[Reads] = (),
    ) -> None:
        self.service = service
        self._checks = checks
        self._carriers = carriers
        self._workers = workers
        self._positions = positions
        self._budgets = budgets
        self._readings = readings

    def groups(self) -> tuple[GroupStanding, ...]:
        """Every member of a consumer group."""
        carried = (
            GroupStanding(each.subscription.group, each.failures, each.lag, each.parked, each.last_sentence)
            for each in self._carriers
        )
        return (*carried, *(each.standing for each in self._readings))

    def workers(self) -> tuple[WorkerStanding, ...]:
        """Every job."""
        return tuple(
            WorkerStanding(each.name, each.failures, len(each.rounds.resting) if each.rounds else 0, each.last_sentence)
            for each in self._workers
        )

    def dead(self) -> dict[str, str]:
        """What only a new start helps, by name."""
        carried = {each.subscription.group: each.dead for each in self._carriers if each.dead is not None}
        return carried | {each.standing.name: each.dead for each in self._readings if each.dead is not None}

    async def standing(self, *, with_positions: bool = True) -> Standing:
        """How the process stands now. It takes no longer than a few parts may take."""
        problems = dict(zip((check.name for check in self._checks), await self._asked(), strict=True))
        wanted = with_positions and not any(problems.values())
        return Standing(
            service=self.service,
            version=version_of_well(),
            checks=problems,
            groups=self.groups(),
            workers=self.workers(),
            positions=await self._positions_of_groups() if wanted else {},
            budgets=tuple(self._budgets()),
        )

    def count(self, registry: CollectorRegistry, standing: Standing) -> None:
        """Put the figures of a moment into a registry of Prometheus."""
        lag = Gauge("well_consumer_lag_events", "Events behind the newest, wanted or not", ["group"], registry=registry)
        parked = Gauge("well_consumer_parked_events", "Events parked since start", ["group"], registry=registry)
        failures = Gauge("well_failures", "Failures in a row", ["name"], registry=registry)
        resting = Gauge("well_worker_resting_workspaces", "Workspaces that rest", ["worker"], registry=registry)
        answers = Gauge("well_answers", "1 while what the process needs is there, else 0", ["name"], registry=registry)
        left = Gauge("well_budget_least_left_calls", "Fewest calls left today", ["provider"], registry=registry)
        about = Gauge("well_process", "1; says what runs", ["service", "version"], registry=registry)
        about.labels(standing.service, standing.version).set(1)
        for group in standing.groups:
            lag.labels(group.name).set(group.lag)
            parked.labels(group.name).set(group.parked)
        for each in standing.at_work:
            failures.labels(each.name).set(each.failures)
        for worker in standing.workers:
            resting.labels(worker.name).set(worker.resting)
        for name, problem in standing.checks.items():
            answers.labels(name).set(problem is None)
        for budget in standing.budgets:
            left.labels(budget.provider).set(budget.least_left_today)

    async def _asked(self) -> list[str | None]:
        return list(await asyncio.gather(*(_problem(check) for check in self._checks)))

    async def _positions_of_groups(self) -> dict[str, Mapping[str, Mapping[int, int]]]:
        found: dict[str, Mapping[str, Mapping[int, int]]] = {}
        if self._positions is not None:
            for each in self._carriers:
                told = await known(self._positions(each.subscription))
                found[each.subscription.group] = {} if isinstance(told, Unknown) else told
        return found


@dataclass(frozen=True)
class Unknown:
    """A part that could not be known, and why."""

    sentence: str


async def known(part: Awaitable[Known]) -> Known | Unknown:
    """A part of an answer, or why it is not known."""
    try:
        async with asyncio.timeout(PART_SECONDS):
            return await part
    except WellError as error:
        return Unknown(error.sentence)
    except TimeoutError:
        return Unknown(f"It was not known within {PART_SECONDS:.0f} seconds.")


async def _problem(check: Check) -> str | None:
    return check.sentence if isinstance(await known(check.ask()), Unknown) else None


@cache
def version_of_well() -> str:
    """The version that runs."""
    return version("well")
