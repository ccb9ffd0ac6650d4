"""Qonto's consent: what differs from Xero's. Source: docs.qonto.com, OAuth."""

from __future__ import annotations

from collections.abc import AsyncIterator
from uuid import uuid4

import httpx
import pytest

from libs.contracts.errors import ConsentLost
from libs.qonto.endpoints import SCOPES
from libs.qonto.standin import DEFAULT_ORGANIZATION, Standin, running_standin
from libs.runtime.clock import ShiftedClock
from libs.xero.standin import running_standin as running_xero
from services.auth.domain.connection import LEASE
from tests.contract.auth.kept import Kept
from tests.contract.auth.test_lend import Died, DiesAfterTheAnswer
from tests.support.auth import RunningAuth, build_auth, qonto_client, running_auth, told, web_client

QontoStage = tuple[RunningAuth, Standin, ShiftedClock, Kept]


@pytest.fixture
async def with_qonto(kept: Kept) -> AsyncIterator[QontoStage]:
    """Auth beside both providers."""
    clock = ShiftedClock()
    async with (
        running_xero(clock=clock) as xero,
        running_standin(clock=clock) as qonto,
        running_auth(
            xero, clock=clock, log=kept.log, database=await kept.database(), store=kept.store, qonto=qonto
        ) as auth,
    ):
        yield auth, qonto, clock, kept


async def test_a_person_connects_qonto_with_the_least_scopes(with_qonto: QontoStage) -> None:
    auth, qonto, _, _ = with_qonto
    workspace = uuid4()
    await told(qonto, "records", {"supplier_invoices": [{"file_name": "a.pdf"}]})
    page = await auth.connect(workspace, "qonto")
    assert page.status_code == httpx.codes.OK
    assert "add supplier invoices to Qonto" in page.text
    assert "organization.read" not in SCOPES
    token = await auth.service.lend("pusher", workspace, "qonto")
    assert token.account == str(DEFAULT_ORGANIZATION)  # said by its first supplier invoice, without a sensitive scope


async def test_an_organization_without_invoices_stays_unnamed_and_works(with_qonto: QontoStage) -> None:
    auth, _, _, _ = with_qonto
    workspace = uuid4()
    await auth.connect(workspace, "qonto")
    assert (await auth.service.lend("ingest", workspace, "qonto")).account == "unknown"


async def test_a_death_after_the_answer_is_mended_within_the_sixty_seconds_of_grace(with_qonto: QontoStage) -> None:
    auth, qonto, clock, kept = with_qonto
    workspace = uuid4()
    await auth.connect(workspace, "qonto")
    clock.advance(3600 - 60)
    async with web_client() as http:
        dying = build_auth(
            auth.url,
            clock=clock,
            clients={"qonto": DiesAfterTheAnswer(qonto_client(qonto, auth.url, http, clock))},
            log=kept.log,
            database=await kept.database(),
            store=kept.store,
        )
        with pytest.raises(Died):
            await dying.lending._refreshing.refreshed(workspace, "qonto", beyond=0)
    clock.advance(LEASE.total_seconds())
    assert (await auth.service.lend("pusher", workspace, "qonto")).expires_at > clock.now()
    assert await auth.service.connection_state(workspace, "qonto") == "active"


async def test_disconnecting_ends_the_consent_at_qonto(with_qonto: QontoStage) -> None:
    auth, _, _, _ = with_qonto
    workspace = uuid4()
    await auth.connect(workspace, "qonto")
    await auth.service.revoke(workspace, "qonto")
    with pytest.raises(ConsentLost):
        await auth.service.lend("pusher", workspace, "qonto")


async def test_losing_one_provider_leaves_the_other_alone(with_qonto: QontoStage) -> None:
    auth, _, _, _ = with_qonto
    workspace = uuid4()
    await auth.connect(workspace, "qonto")
    await auth.connect(workspace, "xero")
    await auth.service.revoke(workspace, "xero")
    assert await auth.service.connection_state(workspace, "qonto") == "active"
