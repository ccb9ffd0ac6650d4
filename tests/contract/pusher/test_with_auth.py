"""The pusher with auth itself: refusals and lost consents hold postings up, and lose or double none."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from libs.qonto.standin import running_standin
from libs.runtime.clock import ShiftedClock
from libs.xero.standin import running_standin as running_xero
from services.auth.adapters.memory import MemoryAuthStore
from services.auth.domain.connection import LONGEST_REST
from services.pusher.adapters.memory import MemoryStore
from services.pusher.domain.posting import State
from tests.contract.pusher.stage import RULE, Rows, Stage
from tests.support.auth import RunningAuth, running_auth
from tests.support.memory import MemoryFixture
from tests.support.web import web_client

Scene = tuple[Stage, RunningAuth]


@pytest.fixture
async def scene(memory: MemoryFixture) -> AsyncIterator[Scene]:
    """A pusher and auth beside a Qonto whose organization holds no invoice yet, which leaves the account unnamed."""
    clock = ShiftedClock()
    rows = Rows(await memory.database("pusher"), memory.log("pusher"), MemoryStore(), memory.workspace)
    async with (
        running_xero(clock=clock) as xero,
        running_standin(clock=clock) as qonto,
        running_auth(
            xero,
            clock=clock,
            log=memory.log("auth"),
            database=await memory.database("auth"),
            store=MemoryAuthStore(),
            qonto=qonto,
        ) as auth,
        web_client() as http,
    ):
        await auth.connect(memory.workspace, "qonto")
        yield Stage(rows, qonto, http, clock, auth=auth.service), auth


async def test_uploads_refused_again_and_again_wait_and_are_made_once_when_it_is_over(scene: Scene) -> None:
    stage, auth = scene
    await stage.fault("401", times=4)
    await stage.intend()
    await stage.submit()
    waits = await stage.posting()
    assert (waits.state, waits.attempt) == (State.INTENDED, 1)
    assert "tries again by itself" in str(waits.sentence)
    assert await auth.service.connection_state(stage.workspace, "qonto") == "refused"
    await stage.submit(after_seconds=30)
    assert (await stage.posting()).attempt == 1  # while the connection rests, no attempt is used up
    for _ in range(4):
        await stage.submit(after_seconds=LONGEST_REST.total_seconds())
    assert (await stage.posting()).state is State.SETTLED
    assert await auth.service.connection_state(stage.workspace, "qonto") == "active"
    assert await stage.uploads() == 1


async def test_looks_that_are_refused_leave_a_posting_in_doubt_and_settle_it_when_it_is_over(scene: Scene) -> None:
    stage, _ = scene
    await stage.fault("timeout_after_commit")
    await stage.fault("401", method="GET", times=3)
    await stage.intend()
    await stage.submit(impatient=True)
    for _ in range(6):
        assert (await stage.posting()).state in {State.UNKNOWN, State.SETTLED}
        await stage.submit(after_seconds=LONGEST_REST.total_seconds())
    assert (await stage.posting()).state is State.SETTLED
    assert await stage.uploads() == 1


@pytest.mark.parametrize("trouble", ["timeout_after_commit", "timeout_before"])
async def test_a_posting_in_doubt_goes_on_after_a_person_has_connected_again(scene: Scene, trouble: str) -> None:
    stage, auth = scene
    await stage.fault(trouble)
    await stage.intend()
    await stage.submit(impatient=True)
    await stage.standin_does("revoke")
    await stage.submit(after_seconds=RULE.running_seconds)
    assert await auth.service.connection_state(stage.workspace, "qonto") == "lost"
    assert (await stage.posting()).state is State.UNKNOWN
    await stage.submit(after_seconds=10**5)
    assert (await stage.posting()).state is State.UNKNOWN
    await auth.connect(stage.workspace, "qonto")  # the first upload may have given the organization a name meanwhile
    for _ in range(2):
        await stage.submit(after_seconds=RULE.silence_seconds)
    assert (await stage.posting()).state is State.SETTLED
    assert await stage.uploads() == 1
