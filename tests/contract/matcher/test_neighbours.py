"""A workspace whose rows do not open holds up no other one."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass
from uuid import UUID

import pytest

from libs.runtime.clock import ManualClock
from services.matcher.flow.decide import REST
from services.matcher.main import build
from tests.support.matching import NOON, a_bill, open_workspace
from tests.support.postgres import PostgresFixture


@dataclass
class These:
    """Lists some workspaces, in this order."""

    listed: Sequence[UUID]

    async def workspaces(self) -> Sequence[UUID]:
        """Them."""
        return self.listed


class _Closing(PostgresFixture):
    """Another workspace of the same database."""

    aclose = PostgresFixture.close


@pytest.mark.parametrize("passing_seconds", [REST.total_seconds(), -3600], ids=["a rest", "a clock that goes back"])
async def test_altered_rows_of_one_workspace_hold_up_no_other(
    postgres: PostgresFixture, passing_seconds: float
) -> None:
    clock = ManualClock(NOON)
    async with aclosing(_Closing(postgres.dsn, postgres.sealer)) as neighbour:
        altered, sound = await open_workspace(postgres), await open_workspace(neighbour)
        for workspace in (altered, sound):
            await workspace.learn(a_bill())
            await workspace.finish_windows()
        admin = await postgres.admin()
        spoil = "UPDATE matcher.bill SET sealed = set_byte(sealed, 40, 255 - get_byte(sealed, 40)) WHERE workspace = $1"
        await admin.execute(spoil, altered.id)
        service = build(
            database=altered.database,
            log=postgres.log("matcher"),
            sealer=postgres.sealer,
            clock=clock,
            workspaces=These([altered.id, sound.id]),
        )
        assert await service.job.step() == 1
        assert (await sound.decision()).verdict == "post"
        await admin.execute(spoil, altered.id)  # a person has restored it
        assert await service.job.step() == 0
        clock.advance(passing_seconds)
        assert await service.job.step() == 1
