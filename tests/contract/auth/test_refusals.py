"""Tokens that a provider refuses though it renews them: an outage costs time and no consent."""

from __future__ import annotations

import contextlib
from uuid import UUID, uuid4

import httpx
import pytest

from libs.contracts.errors import ConsentLost, Transient
from libs.contracts.events import ConsentLost as ConsentLostEvent
from services.auth.domain.connection import LEASE, LONGEST_REST, REFUSED_FOR_GOOD, SHORTEST_REST
from tests.contract.auth.conftest import Stage, events_of
from tests.contract.auth.test_lend import (
    Died,
    DiesAfterTheAnswer,
    RefusedMeanwhile,
    another_process,
    token_calls,
)
from tests.support.auth import TENANT, told
from tests.support.web import web_client

A_LITTLE_SECONDS = 1.0


async def refuse(stage: Stage, workspace: UUID) -> None:
    """Lend a token and report it as refused, as a borrower does that meets a 401."""
    token = await stage.auth.service.lend("xero_mcp", workspace, "xero")
    await stage.auth.service.refused(workspace, "xero", token.secret)


async def refuse_twice(stage: Stage, workspace: UUID) -> None:
    await refuse(stage, workspace)
    with pytest.raises(Transient):
        await refuse(stage, workspace)


async def losses(stage: Stage) -> list[ConsentLostEvent]:
    return [said for said in await events_of(stage.kept) if isinstance(said, ConsentLostEvent)]


async def test_two_refusals_in_a_row_cost_no_token_and_the_connection_goes_on_by_itself(stage: Stage) -> None:
    workspace = uuid4()
    await stage.auth.connect(workspace, "xero")
    await refuse(stage, workspace)
    with pytest.raises(Transient) as rests:
        await refuse(stage, workspace)
    assert "tries again by itself" in rests.value.sentence
    assert await stage.auth.service.connection_state(workspace, "xero") == "refused"
    with pytest.raises(Transient):
        await stage.auth.service.lend("xero_mcp", workspace, "xero")
    stage.clock.advance(SHORTEST_REST.total_seconds() + A_LITTLE_SECONDS)
    async with web_client() as http:
        after_a_restart = await another_process(stage, http)
        token = await after_a_restart.lend("xero_mcp", workspace, "xero")
        bearer = {"Authorization": f"Bearer {token.secret}"}
        answer = await http.get(stage.xero.endpoints.connections_url, headers=bearer)
    assert answer.status_code == httpx.codes.OK
    assert await stage.auth.service.connection_state(workspace, "xero") == "active"
    assert await losses(stage) == []


async def test_a_resting_connection_asks_the_provider_nothing(stage: Stage) -> None:
    workspace = uuid4()
    await stage.auth.connect(workspace, "xero")
    await refuse_twice(stage, workspace)
    before = await token_calls(stage)
    for _ in range(20):
        with pytest.raises(Transient) as rests:
            await stage.auth.service.lend("xero_mcp", workspace, "xero")
        assert rests.value.retry_after_seconds is not None
        assert 0 < rests.value.retry_after_seconds <= SHORTEST_REST.total_seconds()
    assert await token_calls(stage) == before


async def test_a_person_who_connects_again_ends_the_rest_at_once(stage: Stage) -> None:
    workspace = uuid4()
    await stage.auth.connect(workspace, "xero")
    await refuse_twice(stage, workspace)
    await stage.auth.connect(workspace, "xero")
    assert (await stage.auth.service.lend("xero_mcp", workspace, "xero")).account == TENANT
    await refuse(stage, workspace)  # a new story: one refusal is refreshed again


async def test_refusals_for_a_whole_day_are_a_lost_consent_said_once_that_can_still_be_ended(stage: Stage) -> None:
    workspace = uuid4()
    await stage.auth.connect(workspace, "xero")
    begun, tries = stage.clock.now(), 0
    while await stage.auth.service.connection_state(workspace, "xero") != "lost":
        assert stage.clock.now() - begun < 2 * REFUSED_FOR_GOOD
        tries += 1
        with contextlib.suppress(ConsentLost):
            try:
                await refuse(stage, workspace)
            except Transient:
                stage.clock.advance(LONGEST_REST.total_seconds())
    assert stage.clock.now() - begun >= REFUSED_FOR_GOOD
    with pytest.raises(ConsentLost):
        await stage.auth.service.lend("xero_mcp", workspace, "xero")
    assert tries < 60  # far below the 200 refusals an hour that Qonto allows: docs.qonto.com, rate limits
    (lost,) = await losses(stage)
    assert "Connect Xero again" in lost.sentence
    before = await revocations(stage)
    await stage.auth.service.disconnecting.disconnect(workspace, "xero")  # its tokens were kept, so Xero can be told
    assert await revocations(stage) == before + 1


async def test_a_consent_that_xero_no_longer_renews_is_lost_even_while_it_rests(stage: Stage) -> None:
    workspace = uuid4()
    await stage.auth.connect(workspace, "xero")
    await refuse_twice(stage, workspace)
    await told(stage.xero, "revoke", {"tenant_id": TENANT})
    stage.clock.advance(SHORTEST_REST.total_seconds() + A_LITTLE_SECONDS)
    with pytest.raises(ConsentLost):
        await stage.auth.service.lend("xero_mcp", workspace, "xero")
    assert await stage.auth.service.connection_state(workspace, "xero") == "lost"
    assert len(await losses(stage)) == 1


async def test_a_late_second_refusal_is_a_new_story(stage: Stage) -> None:
    workspace = uuid4()
    await stage.auth.connect(workspace, "xero")
    await refuse(stage, workspace)
    stage.clock.advance(11 * 60)
    await refuse(stage, workspace)
    assert await stage.auth.service.connection_state(workspace, "xero") == "active"


async def test_a_process_that_dies_while_a_refused_connection_is_tried_again_costs_no_consent(stage: Stage) -> None:
    workspace = uuid4()
    await stage.auth.connect(workspace, "xero")
    await refuse_twice(stage, workspace)
    stage.clock.advance(SHORTEST_REST.total_seconds() + A_LITTLE_SECONDS)
    async with web_client() as http:
        dying = await another_process(stage, http, played=DiesAfterTheAnswer)
        with pytest.raises(Died):
            await dying.lending._refreshing.refreshed(workspace, "xero", beyond=0)
    stage.clock.advance(LEASE.total_seconds())
    assert (await stage.auth.service.lend("xero_mcp", workspace, "xero")).account == TENANT
    assert await stage.auth.service.connection_state(workspace, "xero") == "active"


async def test_a_token_that_arrives_while_the_one_before_is_refused_is_kept(stage: Stage) -> None:
    workspace = uuid4()
    await stage.auth.connect(workspace, "xero")
    await refuse(stage, workspace)
    token = await stage.auth.service.lend("xero_mcp", workspace, "xero")

    async def refused_elsewhere() -> None:
        with pytest.raises(Transient):
            await stage.auth.service.refused(workspace, "xero", token.secret)

    async with web_client() as http:
        other = await another_process(stage, http, played=lambda real: RefusedMeanwhile(real, refused_elsewhere))
        fresh = await other.lending._refreshing.refreshed(workspace, "xero", beyond=2)
    assert fresh.access_token != token.secret
    # The provider has spent the token of before: to drop this one would leave nothing when its grace is over.
    assert await stage.auth.service.connection_state(workspace, "xero") == "active"
    assert (await stage.auth.service.lend("xero_mcp", workspace, "xero")).secret == fresh.access_token


async def revocations(stage: Stage) -> int:
    async with web_client() as http:
        counted: dict[str, int] = (await http.get(f"{stage.xero.url}/_standin/calls")).raise_for_status().json()
    return sum(count for call, count in counted.items() if call.startswith("POST /connect/revocation"))
