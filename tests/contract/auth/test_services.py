"""What other services ask of auth, in one process and over HTTP: one suite, two ways to ask."""

from __future__ import annotations

from uuid import uuid4

import httpx
import pytest

from libs.contracts.consented import Consented
from libs.contracts.errors import ConsentLost, Rejected
from tests.contract.auth.asking import Asked
from tests.support.auth import told


async def test_tokens_are_lent_to_those_who_may_have_them(asked: Asked) -> None:
    workspace = await asked.connected()
    of_xero = await asked.by("xero_mcp").lend("xero_mcp", workspace, "xero")
    of_qonto = await asked.by("pusher").lend("pusher", workspace, "qonto")
    assert of_qonto == await asked.by("ingest").lend("ingest", workspace, "qonto")
    assert of_xero.account != of_qonto.account
    assert (of_qonto.expires_at - asked.clock.now()).total_seconds() > 120
    for service, provider in (("pusher", "xero"), ("ingest", "xero"), ("xero_mcp", "qonto"), ("matcher", "qonto")):
        with pytest.raises(Rejected) as refused:
            await asked.by(service).lend(service, workspace, provider)
        assert refused.value.code == "not_a_borrower"


async def test_a_refused_token_is_replaced_and_a_revoked_consent_is_lost(asked: Asked) -> None:
    workspace = await asked.connected()
    auth = asked.by("xero_mcp")
    first = await auth.lend("xero_mcp", workspace, "xero")
    await auth.refused(workspace, "xero", first.secret)
    second = await auth.lend("xero_mcp", workspace, "xero")
    assert second.secret != first.secret
    await auth.forbidden(workspace, "xero")  # the consent still opens the organisation, so nothing happens
    await told(asked.xero, "revoke", {"tenant_id": second.account})
    asked.clock.advance(3600)
    with pytest.raises(ConsentLost, match="Connect Xero in Well"):
        await auth.lend("xero_mcp", workspace, "xero")
    with pytest.raises(ConsentLost):
        await auth.lend("xero_mcp", workspace, "xero")
    by_console = asked.by("console")
    assert await by_console.connection_state(workspace, "xero") == "lost"
    await asked.auth.service.disconnecting.disconnect(workspace, "qonto")
    assert await by_console.connection_state(workspace, "qonto") == "revoked"
    assert list(await asked.by("ingest").connected("qonto")) == []


async def test_workspaces_are_listed_and_one_nobody_knows_has_nothing(asked: Asked) -> None:
    auth, stranger = asked.by("ingest"), uuid4()
    assert list(await auth.workspaces()) == []
    first, second = sorted([await asked.connected(), await asked.connected()])
    asked.clock.advance(1)
    assert sorted(await auth.workspaces()) == [first, second]
    assert list(await auth.connected("xero")) == [first, second]
    assert await auth.connection_state(stranger, "qonto") == "none"
    with pytest.raises(ConsentLost):
        await auth.lend("ingest", stranger, "qonto")
    await auth.refused(stranger, "qonto", "a token of nobody")


async def test_keys_are_a_workspaces_own_and_the_same_for_everybody(asked: Asked) -> None:
    one, other = uuid4(), uuid4()
    keys = await asked.by("matcher").keys(one, "payloads")
    assert keys == await asked.by("pusher").keys(one, "payloads")
    assert keys.workspace == one
    assert keys.by_id[keys.current.id] == keys.current
    assert (await asked.by("matcher").keys(other, "payloads")).current.secret != keys.current.secret


async def test_an_mcp_client_is_asked_for_and_its_grant_is_good_once(asked: Asked) -> None:
    workspace, auth = await asked.connected(), asked.by("xero_mcp")
    words = {"client_name": "Ledger", "redirect_host": "localhost", "scopes": ("xero.read",)}
    url = await auth.ask_consent(**words, return_to="http://localhost:1/consented?request=7")
    async with asked.auth.signed_in(workspace) as browser:
        page = await browser.get(url)
        form = page.text.split('name="form" value="', 1)[1].split('"', 1)[0]
        browser.follow_redirects = False
        back = await browser.post(url.split("?")[0], data={"form": form, "answer": "allow"})
        session = browser.cookies["well_session"]
    grant = httpx.URL(back.headers["Location"]).params["grant"]
    with pytest.raises(Rejected):
        await auth.redeem_consent("none of ours", return_to="http://localhost:1/consented?request=7")
    consented = await auth.redeem_consent(grant, return_to="http://localhost:1/consented?request=7")
    assert consented.workspace == workspace
    assert await auth.consent_stands(consented)
    assert not await auth.consent_stands(Consented(workspace, uuid4()))
    assert not await auth.consent_stands(Consented(uuid4(), consented.consent))
    with pytest.raises(Rejected) as spent:
        await auth.redeem_consent(grant, return_to="http://localhost:1/consented?request=7")
    assert spent.value.code == "mcp_grant"
    for _ in range(2):
        await auth.end_consent(consented)
        assert not await auth.consent_stands(consented)
    assert await asked.by("ingest").visitor(session) == workspace
    with pytest.raises(Rejected) as nobody:
        await asked.by("ingest").visitor("no session of ours")
    assert nobody.value.code == "no_session"
