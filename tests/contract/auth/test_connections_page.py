"""The page of connections: what there is, in plain words, and the way out; the same in JSON for programs."""

from __future__ import annotations

import re
from uuid import uuid4

import httpx
import pytest

from libs.contracts.errors import ConsentLost
from tests.contract.auth.conftest import Stage
from tests.support.auth import TENANT, told
from tests.support.web import web_client

JSON = {"Accept": "application/json"}


async def test_an_empty_page_says_what_to_connect_and_where(quick: Stage) -> None:
    async with quick.auth.signed_in(uuid4()) as browser:
        page = await browser.get(f"{quick.auth.url}/connections")
    assert "Nothing is connected yet" in page.text
    assert "not even Well's own" not in page.text  # where Xero itself is missing, that is said alone
    assert (
        "its page is <code>/ingest/connect/xero</code>" in page.text
    )  # a program of its own, which is asked for first


async def test_a_person_sees_what_is_granted_and_disconnects_it_with_one_button(stage: Stage) -> None:
    workspace = uuid4()
    await stage.auth.connect(workspace, "xero")
    async with stage.auth.signed_in(workspace) as browser:
        page = await browser.get(f"{stage.auth.url}/connections")
        assert "Atelier Marchand" in page.text
        assert "read the files attached to bills" in page.text
        action, form = re.findall(r'(?:action|name="form" value)="([^"]+)"', page.text)
        done = await browser.post(action, data={"form": form})
        assert "Xero is disconnected" in done.text
        again = await browser.post(action, data={"form": form})
        assert again.status_code == httpx.codes.BAD_REQUEST
        after = await browser.get(f"{stage.auth.url}/connections")
    assert "Disconnected." in after.text
    assert await stage.auth.service.connection_state(workspace, "xero") == "revoked"


async def test_a_program_reads_the_same_and_no_token(stage: Stage) -> None:
    workspace = uuid4()
    await stage.auth.connect(workspace, "xero")
    token = await stage.auth.service.lend("xero_mcp", workspace, "xero")
    async with stage.auth.signed_in(workspace) as browser:
        answer = await browser.get(f"{stage.auth.url}/connections", headers=JSON)
    (entry,) = answer.json()["connections"]
    assert (entry["provider"], entry["state"], entry["account"]) == ("xero", "active", TENANT)
    assert "read bills, sales invoices, credit notes and purchase orders" in entry["allows"]
    assert token.secret not in answer.text
    assert (answer.json()["programs"], answer.json()["programs_form"]) == ([], None)


async def test_a_lost_connection_says_what_to_do(stage: Stage) -> None:
    workspace = uuid4()
    await stage.auth.connect(workspace, "xero")
    await told(stage.xero, "revoke", {"tenant_id": TENANT})
    stage.clock.advance(3600)
    with pytest.raises(ConsentLost):
        await stage.auth.service.lend("xero_mcp", workspace, "xero")
    async with stage.auth.signed_in(workspace) as browser:
        page = await browser.get(f"{stage.auth.url}/connections")
    assert "Connect it again; Well then goes on where it stopped" in page.text
    assert "Connect Xero" in page.text


async def test_nobody_disconnects_without_the_form_of_their_own_page(stage: Stage) -> None:
    workspace, stranger = uuid4(), uuid4()
    await stage.auth.connect(workspace, "xero")
    async with stage.auth.signed_in(workspace) as browser:
        (entry,) = (await browser.get(f"{stage.auth.url}/connections", headers=JSON)).json()["connections"]
    url = f"{stage.auth.url}/connections/xero/disconnect"
    async with stage.auth.signed_in(stranger) as other, web_client() as nobody:
        assert (await other.post(url, data={"form": entry["form"]})).status_code == httpx.codes.BAD_REQUEST
        assert (await other.post(url)).status_code == httpx.codes.BAD_REQUEST
        assert (await nobody.post(url, data={"form": entry["form"]})).status_code == httpx.codes.FORBIDDEN
        assert (await nobody.get(f"{stage.auth.url}/connections")).status_code == httpx.codes.FORBIDDEN
    assert await stage.auth.service.connection_state(workspace, "xero") == "active"
