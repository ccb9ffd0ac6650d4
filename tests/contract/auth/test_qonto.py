"""Qonto's consent: what differs from Xero's. Source: docs.qonto.com, OAuth."""

from __future__ import annotations

from collections.abc import AsyncIterator
from uuid import UUID, uuid4

import httpx
import pytest

from libs.contracts.errors import ConsentLost, Rejected, Transient
from libs.qonto.endpoints import BANK_SCOPES, SCOPES
from libs.qonto.standin import DEFAULT_CLIENT, DEFAULT_ORGANIZATION, Standin, running_standin
from libs.runtime.clock import ShiftedClock
from libs.xero.standin import running_standin as running_xero
from services.auth.adapters.authorization_server import RegisteredApp
from services.auth.adapters.providers import qonto_server
from services.auth.domain.connection import LEASE, TokenPair
from services.auth.flow.unauthorized import AT_MOST, WINDOW
from tests.contract.auth.conftest import events_of
from tests.contract.auth.kept import Kept
from tests.contract.auth.test_lend import Died, DiesAfterTheAnswer
from tests.support.auth import RunningAuth, build_auth, qonto_client, running_auth, told
from tests.support.web import web_client


class Inactive(DiesAfterTheAnswer):
    """A provider that says of every refresh token what Hydra says of one that came again."""

    async def refresh(self, refresh_token: str) -> TokenPair:
        assert refresh_token
        raise Rejected("Qonto refused the token request (token_inactive).", code="token_inactive")


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


async def scopes_asked(auth: RunningAuth, workspace: UUID, query: str) -> list[str]:
    """What a visit to Qonto asks for."""
    async with auth.signed_in(workspace) as browser:
        browser.follow_redirects = False
        left = await browser.get(f"{auth.url}/connect/qonto{query}")
    return httpx.URL(left.headers["Location"]).params["scope"].split()


async def test_bank_matching_asks_for_one_scope_more_and_names_the_organization(with_qonto: QontoStage) -> None:
    auth, _, _, _ = with_qonto
    workspace = uuid4()
    assert await scopes_asked(auth, workspace, "") == list(SCOPES)
    await auth.connect(workspace, "qonto")
    async with auth.signed_in(workspace) as browser:
        page = await browser.get(f"{auth.url}/connect/qonto", params={"bank_matching": "on"})
    assert "Maison Tilleul SAS" in page.text
    assert "accounts and transactions" in page.text
    assert await scopes_asked(auth, workspace, "") == [*SCOPES, *BANK_SCOPES]  # it stays on until it is turned off
    assert await scopes_asked(auth, workspace, "?bank_matching=off") == list(SCOPES)


async def test_an_organization_that_was_named_stays_the_workspaces_when_a_later_consent_names_none(
    with_qonto: QontoStage,
) -> None:
    auth, qonto, _, _ = with_qonto
    workspace = uuid4()
    for bank_matching in ("on", "off"):  # without it, and without an invoice, nothing names the organization
        async with auth.signed_in(workspace) as browser:
            await browser.get(f"{auth.url}/connect/qonto", params={"bank_matching": bank_matching})
    token = await auth.service.lend("pusher", workspace, "qonto")
    assert token.account == str(DEFAULT_ORGANIZATION)
    await told(qonto, "records", {"supplier_invoices": [{"file_name": "a.pdf"}]})
    assert (await auth.connect(workspace, "qonto")).status_code == httpx.codes.OK


async def test_a_consent_to_less_than_well_needs_is_refused_in_plain_words(with_qonto: QontoStage) -> None:
    auth, qonto, _, _ = with_qonto
    workspace = uuid4()
    async with auth.signed_in(workspace) as browser:
        browser.follow_redirects = False
        left = httpx.URL((await browser.get(f"{auth.url}/connect/qonto")).headers["Location"])
        less = left.copy_set_param("scope", "offline_access supplier_invoice.read attachment.read")
        back = (await browser.get(less)).headers["Location"]
        page = await browser.get(back)
    assert page.status_code == httpx.codes.BAD_REQUEST
    assert "Missing: add supplier invoices to Qonto" in page.text
    assert await auth.service.connection_state(workspace, "qonto") == "none"
    assert qonto.world.store.row("select count(*) as n from tokens")["n"] > 0


@pytest.mark.parametrize("bank_matching", ["off", "on"])
async def test_disconnecting_revokes_the_grant_and_with_the_scope_for_it_the_organizations_consent(
    with_qonto: QontoStage, bank_matching: str
) -> None:
    auth, qonto, _, _ = with_qonto
    workspace = uuid4()
    async with auth.signed_in(workspace) as browser:
        await browser.get(f"{auth.url}/connect/qonto", params={"bank_matching": bank_matching})
    await auth.service.disconnecting.disconnect(workspace, "qonto")
    async with web_client() as http:
        counted = (await http.get(f"{qonto.url}/_standin/calls")).json()
    assert counted["POST /oauth2/revoke 200"] == 1
    assert counted.get("DELETE /v2/oauth2/consents 204", 0) == (1 if bank_matching == "on" else 0)


async def test_the_sandbox_gets_its_staging_token_with_every_call(kept: Kept) -> None:
    clock, workspace = ShiftedClock(), uuid4()
    async with (
        running_xero(clock=clock) as xero,
        running_standin(clock=clock) as qonto,
        running_auth(
            xero,
            clock=clock,
            log=kept.log,
            database=await kept.database(),
            store=kept.store,
            qonto=qonto,
            staging_token="staging",  # noqa: S106 of a stand-in
        ) as auth,
    ):
        await told(qonto, "settings", {"staging_token": "staging"})
        assert (await auth.connect(workspace, "qonto")).status_code == httpx.codes.OK
        clock.advance(3600)
        await auth.service.lend("pusher", workspace, "qonto")
        await auth.service.disconnecting.disconnect(workspace, "qonto")
        assert await auth.service.connection_state(workspace, "qonto") == "revoked"
        await told(qonto, "settings", {"staging_token": "another"})
        assert (await auth.connect(workspace, "qonto")).status_code == httpx.codes.SERVICE_UNAVAILABLE


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
    await auth.service.disconnecting.disconnect(workspace, "qonto")
    with pytest.raises(ConsentLost):
        await auth.service.lend("pusher", workspace, "qonto")


async def test_losing_one_provider_leaves_the_other_alone(with_qonto: QontoStage) -> None:
    auth, _, _, _ = with_qonto
    workspace = uuid4()
    await auth.connect(workspace, "qonto")
    await auth.connect(workspace, "xero")
    await auth.service.disconnecting.disconnect(workspace, "xero")
    assert await auth.service.connection_state(workspace, "qonto") == "active"


async def test_qonto_is_left_alone_before_its_limit_of_refusals_and_asked_again_after_an_hour(
    with_qonto: QontoStage,
) -> None:
    auth, qonto, clock, _ = with_qonto
    workspace = uuid4()
    await auth.connect(workspace, "qonto")
    async with web_client() as http:
        for _ in range(AT_MOST["qonto"]):
            assert (await auth.service.lend("pusher", workspace, "qonto")).secret
            await http.get(f"{qonto.url}/v2/supplier_invoices", headers={"Authorization": "Bearer spent"})
            await auth.service.refused(workspace, "qonto", "a token of before")  # so nothing is renewed for it
        with pytest.raises(Transient, match="refused 180 calls of Well within an hour") as paused:
            await auth.service.lend("pusher", workspace, "qonto")
        counted = (await http.get(f"{qonto.url}/_standin/calls")).json()
        assert counted["GET /v2/supplier_invoices 401"] < 200  # docs.qonto.com, rate limits: 200 in an hour
        assert 3500 < (paused.value.retry_after_seconds or 0) <= 3600
        clock.advance(-86_400)  # set back by a day, which is not a day more to wait
        await auth.service.lending._unauthorized.check("qonto")
        clock.advance(86_400)
        clock.advance(WINDOW.total_seconds() + 1)
        assert (await auth.service.lend("pusher", workspace, "qonto")).secret


async def test_a_wrong_secret_of_ours_does_not_hammer_qonto_either(with_qonto: QontoStage) -> None:
    auth, qonto, clock, kept = with_qonto
    workspaces = [uuid4() for _ in range(AT_MOST["qonto"] // 20 + 1)]
    for workspace in workspaces:
        await auth.connect(workspace, "qonto")
    clock.advance(3600)
    app = RegisteredApp(DEFAULT_CLIENT, "of yesterday", f"{auth.url}/connect/qonto/callback")
    async with web_client() as http:
        misconfigured = build_auth(
            auth.url,
            clock=clock,
            clients={"qonto": qonto_server(qonto.endpoints, app, http, clock)},
            log=kept.log,
            database=await kept.database(),
            store=kept.store,
        )
        for _ in range(25):
            for workspace in workspaces:
                with pytest.raises(Transient):
                    await misconfigured.lend("pusher", workspace, "qonto")
        counted = (await http.get(f"{qonto.url}/_standin/calls")).json()
    assert counted["POST /oauth2/token 401"] == AT_MOST["qonto"]
    assert await auth.service.connection_state(workspaces[0], "qonto") == "active"


async def test_a_grant_that_hydra_calls_inactive_is_lost_and_not_waited_for(with_qonto: QontoStage) -> None:
    auth, qonto, clock, kept = with_qonto
    workspace = uuid4()
    await auth.connect(workspace, "qonto")
    clock.advance(3600)
    async with web_client() as http:
        refusing = build_auth(
            auth.url,
            clock=clock,
            clients={"qonto": Inactive(qonto_client(qonto, auth.url, http, clock))},
            log=kept.log,
            database=await kept.database(),
            store=kept.store,
        )
        with pytest.raises(ConsentLost):
            await refusing.lend("pusher", workspace, "qonto")
    assert await auth.service.connection_state(workspace, "qonto") == "lost"


async def test_an_answer_of_one_provider_at_the_callback_of_the_other_is_refused_before_any_token_call(
    with_qonto: QontoStage,
) -> None:
    auth, qonto, _, kept = with_qonto
    workspace = uuid4()
    async with auth.signed_in(workspace) as browser, web_client() as http:
        browser.follow_redirects = False
        left = await browser.get(f"{auth.url}/connect/qonto")
        back = httpx.URL((await http.get(left.headers["Location"])).headers["Location"])
        page = await browser.get(back.copy_with(path="/connect/xero/callback"))
        assert page.status_code == httpx.codes.BAD_REQUEST
        assert "from another provider than the one you went to" in page.text
        assert "used already" in (await browser.get(back)).text  # the visit is over
        counted = (await http.get(f"{qonto.url}/_standin/calls")).json()
    assert not [call for call in counted if "/oauth2/token" in call]
    assert await events_of(kept) == []
