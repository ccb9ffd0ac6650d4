"""Disconnecting: ended at the provider for this account alone, then forgotten here."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from libs.contracts.errors import ConsentLost, Transient
from libs.contracts.events import ConsentRevoked
from services.auth.domain.connection import Connection
from tests.contract.auth.conftest import Stage, events_of
from tests.contract.auth.test_lend import RefusedMeanwhile, another_process
from tests.support.auth import TENANT, calls, told
from tests.support.web import web_client

OTHER = "5f0e8d1c-0000-4000-8000-000000000002"
ENDED = "DELETE /connections/{ConnectionID} 204"
REVOKED = "POST /connect/revocation 200"


async def connected_by_one_accountant(stage: Stage) -> tuple[UUID, UUID]:
    """Two workspaces, each with an organisation of its own, consented to by the same person."""
    mine, theirs = uuid4(), uuid4()
    await told(stage.xero, "organisations", {"tenant_id": OTHER, "name": "Somebody Else SAS"})
    for workspace, tenant in ((mine, TENANT), (theirs, OTHER)):
        await told(stage.xero, "settings", {"consent": "auto", "tenant_id": tenant, "user": "one accountant"})
        await stage.auth.connect(workspace, "xero")
        stage.clock.advance(1)
    return mine, theirs


async def tenants_open_to(stage: Stage, secret: str) -> list[str]:
    """The organisations that a token still opens at Xero."""
    async with web_client() as http:
        answer = await http.get(stage.xero.endpoints.connections_url, headers={"Authorization": f"Bearer {secret}"})
    if answer.status_code == httpx.codes.UNAUTHORIZED:
        return []
    found: list[dict[str, Any]] = answer.raise_for_status().json()
    return [record["tenantId"] for record in found]


async def test_disconnecting_ends_the_consent_at_xero_and_says_so_once(stage: Stage) -> None:
    workspace = uuid4()
    await stage.auth.connect(workspace, "xero")
    token = await stage.auth.service.lend("xero_mcp", workspace, "xero")
    await stage.auth.service.disconnecting.disconnect(workspace, "xero")
    await stage.auth.service.disconnecting.disconnect(workspace, "xero")
    assert await stage.auth.service.connection_state(workspace, "xero") == "revoked"
    assert await tenants_open_to(stage, token.secret) == []
    counted = await calls(stage.xero)
    assert (counted[ENDED], counted[REVOKED]) == (1, 1)  # the last organisation, so the grant ends with it
    assert [said for said in await events_of(stage.kept) if isinstance(said, ConsentRevoked)] == [
        ConsentRevoked(provider="xero")
    ]


async def test_disconnecting_one_organisation_leaves_the_same_persons_other_one_alone(stage: Stage) -> None:
    mine, theirs = await connected_by_one_accountant(stage)
    token = await stage.auth.service.lend("xero_mcp", theirs, "xero")
    await stage.auth.service.disconnecting.disconnect(mine, "xero")
    assert await tenants_open_to(stage, token.secret) == [OTHER]
    assert REVOKED not in await calls(stage.xero)
    stage.clock.advance(3600)
    assert (await stage.auth.service.lend("xero_mcp", theirs, "xero")).account == OTHER
    with pytest.raises(ConsentLost):
        await stage.auth.service.lend("xero_mcp", mine, "xero")
    await stage.auth.service.disconnecting.disconnect(theirs, "xero")
    assert (await calls(stage.xero))[REVOKED] == 1


class ConnectedMeanwhile(RefusedMeanwhile):
    """A provider that ends a consent while its person, in another window, gives a new one."""

    async def end(self, connection: Connection) -> None:
        await super().end(connection)
        await self._meanwhile()


async def test_a_consent_that_is_given_while_another_ends_stands(stage: Stage) -> None:
    workspace = uuid4()
    await stage.auth.connect(workspace, "xero")

    async def connect_anew() -> None:
        await stage.auth.connect(workspace, "xero")

    async with web_client() as http:
        auth = await another_process(stage, http, played=lambda real: ConnectedMeanwhile(real, connect_anew))
        await auth.disconnecting.disconnect(workspace, "xero")
    token = await stage.auth.service.lend("xero_mcp", workspace, "xero")
    assert await tenants_open_to(stage, token.secret) == [TENANT]


async def test_an_old_token_is_renewed_first_since_xero_wants_a_good_one(stage: Stage) -> None:
    workspace = uuid4()
    await stage.auth.connect(workspace, "xero")
    stage.clock.advance(86_400)
    await stage.auth.service.disconnecting.disconnect(workspace, "xero")
    assert (await calls(stage.xero))[ENDED] == 1


async def test_a_consent_that_ended_at_xero_before_is_forgotten_here_too(stage: Stage) -> None:
    workspace = uuid4()
    await stage.auth.connect(workspace, "xero")
    await told(stage.xero, "revoke", {"tenant_id": TENANT})
    await stage.auth.service.disconnecting.disconnect(workspace, "xero")
    assert await stage.auth.service.connection_state(workspace, "xero") == "revoked"


@pytest.mark.parametrize("path", ["/connections", "/connections/{ConnectionID}", "/connect/revocation"])
@pytest.mark.parametrize("kind", ["500", "lost"])
async def test_while_xero_gives_no_answer_nothing_is_forgotten_and_the_next_try_ends_it(
    stage: Stage, path: str, kind: str
) -> None:
    workspace = uuid4()
    await stage.auth.connect(workspace, "xero")
    await told(stage.xero, "faults", {"path": path, "kind": kind})
    with pytest.raises(Transient):
        await stage.auth.service.disconnecting.disconnect(workspace, "xero")
    assert await stage.auth.service.connection_state(workspace, "xero") == "active"
    await stage.auth.service.disconnecting.disconnect(workspace, "xero")
    assert await stage.auth.service.connection_state(workspace, "xero") == "revoked"


async def test_an_outage_of_refusals_is_told_and_forgets_nothing(stage: Stage) -> None:
    workspace = uuid4()
    await stage.auth.connect(workspace, "xero")
    await told(stage.xero, "faults", {"path": "/connections", "kind": "revoked", "times": 50})
    for _ in range(3):
        with pytest.raises(Transient, match=r"refuses|again by itself"):
            await stage.auth.service.disconnecting.disconnect(workspace, "xero")
    assert await stage.auth.service.connection_state(workspace, "xero") == "refused"
    async with web_client() as http:
        await http.delete(f"{stage.xero.url}/_standin/faults")
    await stage.auth.service.disconnecting.disconnect(workspace, "xero")
    assert await stage.auth.service.connection_state(workspace, "xero") == "revoked"
