"""A consent that opens several organisations: a person says which one the workspace is connected to."""

from __future__ import annotations

import re
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from libs.contracts.errors import Rejected
from tests.contract.auth.conftest import Stage, events_of
from tests.support.auth import TENANT, told
from tests.support.web import web_client

OTHER = "5f0e8d1c-0000-4000-8000-000000000002"


@pytest.fixture
async def several(stage: Stage) -> Stage:
    """Xero, where the next consent connects two organisations at once."""
    await told(stage.xero, "organisations", {"tenant_id": OTHER, "name": "Somebody Else SAS"})
    await told(stage.xero, "settings", {"consent": "auto", "tenant_id": TENANT, "besides": [OTHER], "user": "one"})
    return stage


def form_on(page: httpx.Response) -> dict[str, str]:
    """The hidden field of a page of choice."""
    assert page.status_code == httpx.codes.OK
    found = re.search(r'name="choice" value="([^"]+)"', page.text)
    assert found is not None
    return {"choice": found[1]}


async def choose(stage: Stage, workspace: UUID, form: dict[str, str], provider: str = "xero") -> httpx.Response:
    async with stage.auth.signed_in(workspace) as browser:
        return await browser.post(f"{stage.auth.url}/connect/{provider}/choice", data=form)


async def test_of_several_organisations_a_person_chooses_one_by_its_name(several: Stage) -> None:
    workspace = uuid4()
    page = await several.auth.connect(workspace, "xero")
    assert "Atelier Marchand" in page.text
    assert "Somebody Else SAS" in page.text
    assert await several.auth.service.connection_state(workspace, "xero") == "none"
    assert await events_of(several.kept) == []
    chosen = await choose(several, workspace, {**form_on(page), "account": OTHER})
    assert "Somebody Else SAS" in chosen.text
    token = await several.auth.service.lend("xero_mcp", workspace, "xero")
    assert token.account == OTHER
    again = await choose(several, workspace, {**form_on(page), "account": TENANT})
    assert again.status_code == httpx.codes.BAD_REQUEST
    assert "made already" in again.text
    assert (await several.auth.service.lend("xero_mcp", workspace, "xero")).account == OTHER


async def test_a_workspace_that_has_an_organisation_is_not_asked_again(several: Stage) -> None:
    workspace = uuid4()
    page = await several.auth.connect(workspace, "xero")
    await choose(several, workspace, {**form_on(page), "account": TENANT})
    assert "Atelier Marchand" in (await several.auth.connect(workspace, "xero")).text
    assert (await several.auth.service.lend("xero_mcp", workspace, "xero")).account == TENANT


@pytest.mark.parametrize(
    "wrong",
    [
        {"account": "5f0e8d1c-0000-4000-8000-0000000000ff"},
        {"account": ""},
        {"choice": "", "account": TENANT},
        {"choice": f"{UUID(int=7).hex}.guess", "account": TENANT},
        {"choice": "é" * 400, "account": TENANT},
    ],
)
async def test_a_choice_that_was_not_offered_connects_nothing(several: Stage, wrong: dict[str, Any]) -> None:
    workspace = uuid4()
    form = form_on(await several.auth.connect(workspace, "xero"))
    assert (await choose(several, workspace, {**form, **wrong})).status_code == httpx.codes.BAD_REQUEST
    assert await several.auth.service.connection_state(workspace, "xero") == "none"


async def test_a_choice_is_nobody_elses_and_of_no_other_provider_and_not_for_ever(several: Stage) -> None:
    workspace, stranger = uuid4(), uuid4()
    for where, provider, wait_seconds in ((stranger, "xero", 0), (workspace, "xero", 601)):
        form = {**form_on(await several.auth.connect(workspace, "xero")), "account": TENANT}
        several.clock.advance(wait_seconds)
        assert (await choose(several, where, form, provider)).status_code == httpx.codes.BAD_REQUEST
    form = {**form_on(await several.auth.connect(workspace, "xero")), "account": TENANT}
    assert (await choose(several, workspace, form, "qonto")).status_code == httpx.codes.NOT_FOUND
    with pytest.raises(Rejected, match="made already"):
        await several.auth.service.connecting.choose(
            workspace, "qonto", token=form["choice"], account_id=form["account"]
        )
    async with web_client() as nobody:
        answer = await nobody.post(f"{several.auth.url}/connect/xero/choice", data=form)
    assert answer.status_code == httpx.codes.FORBIDDEN
    assert await several.auth.service.connection_state(workspace, "xero") == "none"
    assert await several.auth.service.connection_state(stranger, "xero") == "none"


async def test_two_choices_side_by_side_connect_one_organisation(several: Stage) -> None:
    workspace = uuid4()
    first, second = [form_on(await several.auth.connect(workspace, "xero")) for _ in range(2)]
    assert (await choose(several, workspace, {**first, "account": TENANT})).status_code == httpx.codes.OK
    other = await choose(several, workspace, {**second, "account": OTHER})
    assert other.status_code == httpx.codes.BAD_REQUEST
    assert "belongs to another Xero organisation" in other.text
    assert (await several.auth.service.lend("xero_mcp", workspace, "xero")).account == TENANT
