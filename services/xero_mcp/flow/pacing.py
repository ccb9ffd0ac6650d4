"""Lets calls to Xero leave one after the other, so that no organisation's budget is overdrawn."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Final

from libs.contracts.errors import Transient
from libs.runtime.clock import Clock
from libs.runtime.standing import BudgetStanding
from services.xero_mcp.domain.budget import Budget, Limits

TENANTS_REMEMBERED: Final = 4096
"""Organisations whose budget is kept. The one unused for longest is forgotten, and Xero's own refusals remain."""

IN_LINE: Final = 64
"""Calls of one organisation that wait or are under way: a minute's worth. More would not have their turn before they
are told to come back, and each holds what its client sent."""


class _Line:
    """Who waits for one organisation."""

    def __init__(self, limits: Limits) -> None:
        self.budget = Budget(limits)
        self.at_once = asyncio.Semaphore(limits.at_once)
        self.length = 0


class Pacing:
    """The budgets of all organisations.

    Notes:
        They live in one process. A second process that reads the same organisation is seen through the day's header and
        through Xero's 429 only; run one xero_mcp, or send each workspace to the same one.
    """

    def __init__(self, limits: Limits, clock: Clock, *, wait_seconds: float) -> None:
        self._limits = limits
        self._clock = clock
        self._wait_seconds = wait_seconds
        self._lines: OrderedDict[str, _Line] = OrderedDict()

    @asynccontextmanager
    async def turn(self, tenant: str) -> AsyncIterator[None]:
        """Wait for a turn, and hold it for one call.

        Raises:
            Transient: No turn comes within the bound, or too many wait already; it says when to come back.
        """
        line = self._line(tenant)
        if line.length >= IN_LINE:
            raise self._too_many()
        line.length += 1
        try:
            await self._stand_in(line)
            try:
                await self._leave(line.budget)
                yield
            finally:
                line.at_once.release()
        finally:
            line.length -= 1

    def learn(self, tenant: str, *, day_left: int | None) -> None:
        """What an answer's headers said."""
        self._line(tenant).budget.learn(self._clock.now(), day_left=day_left)

    def close(self, tenant: str, *, seconds: float) -> None:
        """Xero refused and said for how long."""
        self._line(tenant).budget.close(self._clock.now(), seconds=seconds)

    async def _stand_in(self, line: _Line) -> None:
        try:
            async with asyncio.timeout(self._wait_seconds):
                await line.at_once.acquire()
        except TimeoutError:
            raise self._too_many() from None

    def _too_many(self) -> Transient:
        sentence = "Too many calls wait for this organisation's turn at Xero."
        return Transient(sentence, retry_after_seconds=self._wait_seconds)

    async def _leave(self, budget: Budget) -> None:
        give_up_at = self._clock.now() + timedelta(seconds=self._wait_seconds)
        while (wait := budget.wait_seconds(now := self._clock.now())) > 0:
            if now + timedelta(seconds=wait) > give_up_at:
                raise Transient("Xero's budget for this organisation is used up.", retry_after_seconds=wait)
            await self._clock.sleep(wait)
        budget.leave(now)

    def standing(self) -> BudgetStanding:
        """What is left, over all organisations remembered."""
        now = self._clock.now()
        budgets = [line.budget for line in self._lines.values()]
        left = [budget.left_today(now) for budget in budgets]
        closed = sum(budget.is_closed(now) for budget in budgets)
        return BudgetStanding("xero", len(budgets), min(left, default=self._limits.per_day), closed)

    def _line(self, tenant: str) -> _Line:
        line = self._lines.get(tenant)
        if line is None:
            line = self._lines[tenant] = _Line(self._limits)
            if len(self._lines) > TENANTS_REMEMBERED:
                self._lines.popitem(last=False)
        self._lines.move_to_end(tenant)
        return line
