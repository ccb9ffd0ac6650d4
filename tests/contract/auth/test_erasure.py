"""A workspace that is erased: its consents end, its keys are gone for everybody, and none are made again."""

from __future__ import annotations

import asyncio
from uuid import uuid4

import pytest

from libs.auth_client.reader import GrantedReader
from libs.contracts.consented import Consented
from libs.contracts.errors import Rejected
from libs.contracts.events import WorkspaceErased
from libs.crypto.bearer import INSTALLATION
from libs.crypto.keyring import KEYS_KEPT, Sealer
from libs.eventlog.port import Delivery
from services.auth.domain.wrapped_key import PURPOSES
from services.auth.flow.erase import FORGOTTEN_AFTER, Erasing
from tests.contract.auth.asking import Asked
from tests.contract.auth.conftest import Stage, events_of
from tests.contract.auth.test_connect import authorize_url, code_for
from tests.contract.auth.test_lend import Died
from tests.support.auth import told


async def test_after_an_erasure_nobody_gets_a_key_a_token_or_a_page(asked: Asked) -> None:
    workspace, other = await asked.connected(), await asked.connected()
    auth = asked.auth.service
    words = {"client_name": "Ledger", "redirect_host": "h", "document_host": ""}
    consented = Consented(workspace, await auth.programs.allow(workspace, **words, scopes=("xero.read",)))
    grant, link = await auth.reading.grant(workspace, "payments team"), await auth.sign_in_ticket(workspace)
    async with asked.auth.signed_in(workspace) as browser:
        session = browser.cookies["well_session"]
    for purpose in PURPOSES:
        await asked.by("ingest").keys(workspace, purpose)
    assert (await auth.erasing.erase(workspace)).not_told == ()
    assert not await asked.by("xero_mcp").consent_stands(consented)
    for purpose in PURPOSES:
        with pytest.raises(Rejected) as gone:
            await asked.by("ingest").keys(workspace, purpose)
        assert gone.value.code == "workspace_erased"
    with pytest.raises(Rejected) as ended:
        await auth.opening_keys(grant)
    assert ended.value.code in {"workspace_erased", "reading_grant"}
    with pytest.raises(Rejected):
        await auth.visitor(session)
    assert (await asked.http.get(link)).status_code == 403
    asked.clock.advance(1)
    assert list(await asked.by("ingest").connected("qonto")) == [other]
    assert list(await asked.by("ingest").workspaces()) == [other]
    assert (await asked.by("ingest").keys(other, "tokens")).workspace == other
    assert list(await asked.by("matcher").erased()) == []
    asked.clock.advance(FORGOTTEN_AFTER.total_seconds() + 1)
    assert list(await asked.by("matcher").erased()) == [workspace]


async def test_the_consents_end_at_the_providers_and_the_log_says_that_the_workspace_is_gone(stage: Stage) -> None:
    workspace = uuid4()
    await stage.auth.connect(workspace, "xero")
    await stage.auth.service.keys(workspace, "payloads")
    for _ in range(2):  # the second time finishes what the first may have left, and says nothing twice
        assert (await stage.auth.service.erasing.erase(workspace)).not_told == ()
    said = await events_of(stage.kept)
    assert [event for event in said if event.type == "WorkspaceErased"] == [WorkspaceErased(erased=workspace)]
    assert "ConsentRevoked" in [event.type for event in said]


class DiesBeforeItSays:
    """The log of a process that dies before it can say anything."""

    name = "auth"

    async def append(self, *_: object, **__: object) -> None:
        raise Died

    async def unseen(self, *_: object) -> list[Delivery]:
        return []


async def test_an_erasure_that_died_before_the_log_said_so_is_said_when_it_is_asked_for_again(stage: Stage) -> None:
    workspace, auth = uuid4(), stage.auth.service
    await auth.keys(workspace, "payloads")
    dying = Erasing(
        database=await stage.kept.database(),
        store=stage.kept.store,
        log=DiesBeforeItSays(),
        disconnecting=auth.disconnecting,
        clock=stage.clock,
    )
    with pytest.raises(Died):
        await dying.erase(workspace)
    with pytest.raises(Rejected, match="erased"):
        await auth.keys(workspace, "payloads")
    assert await events_of(stage.kept) == []
    await auth.erasing.erase(workspace)
    assert await events_of(stage.kept) == [WorkspaceErased(erased=workspace)]


async def test_a_provider_that_does_not_answer_does_not_hold_an_erasure_up(stage: Stage) -> None:
    workspace = uuid4()
    await stage.auth.connect(workspace, "xero")
    await stage.auth.service.keys(workspace, "payloads")
    await told(stage.xero, "faults", {"kind": "503", "times": 50})
    (sentence,) = (await stage.auth.service.erasing.erase(workspace)).not_told
    assert sentence.startswith("Xero was not told: ")
    with pytest.raises(Rejected, match="erased"):
        await stage.auth.service.keys(workspace, "payloads")


async def test_whoever_is_at_the_provider_during_an_erasure_connects_nothing(stage: Stage) -> None:
    workspace, auth = uuid4(), stage.auth.service
    await auth.keys(workspace, "tokens")
    answer = await code_for(stage, await authorize_url(stage, workspace))
    returned = await auth.connecting.come_back(workspace, "xero", state=answer["state"])
    await auth.erasing.erase(workspace)
    with pytest.raises(Rejected) as refused:
        await auth.connecting.finish(workspace, returned, code=answer["code"])
    assert refused.value.code == "workspace_erased"
    assert await auth.connection_state(workspace, "xero") == "none"
    assert list(await auth.workspaces()) == []


async def test_a_process_that_runs_forgets_the_keys_in_its_time(stage: Stage) -> None:
    workspace = uuid4()
    running = Sealer(stage.auth.service.keyring, "payloads", stage.clock)
    await running.of(workspace)
    await stage.auth.service.erasing.erase(workspace)
    await running.of(workspace)
    stage.clock.advance(KEYS_KEPT.total_seconds())
    with pytest.raises(Rejected, match="erased"):
        await running.of(workspace)


async def test_of_an_erasure_and_a_first_use_at_once_no_key_is_left(stage: Stage) -> None:
    auth = stage.auth.service
    for _ in range(5):
        workspace = uuid4()
        await auth.keys(workspace, "tokens")
        await asyncio.gather(
            auth.erasing.erase(workspace), *(auth.keys(workspace, "payloads") for _ in range(3)), return_exceptions=True
        )
        with pytest.raises(Rejected, match="erased"):
            await auth.keys(workspace, "documents")


async def test_what_is_no_customers_workspace_is_not_erased(stage: Stage) -> None:
    await stage.auth.service.keys(INSTALLATION, "payloads")
    for nobody in (uuid4(), INSTALLATION):
        with pytest.raises(Rejected) as refused:
            await stage.auth.service.erasing.erase(nobody)
        assert refused.value.code == "no_such_workspace"
    assert (await stage.auth.service.keys(INSTALLATION, "payloads")).workspace == INSTALLATION


async def test_a_reader_that_runs_asks_again_in_its_time_and_then_opens_nothing(over_http: Asked) -> None:
    workspace, auth = uuid4(), over_http.auth.service
    grant = await auth.reading.grant(workspace, "payments team")
    reader = GrantedReader(grant, over_http.auth.url, over_http.http, over_http.clock)
    opening = await reader.opening()
    assert opening.workspace == workspace
    await auth.keys(workspace, "payloads")
    await auth.erasing.erase(workspace)
    assert await reader.opening() is opening
    over_http.clock.advance(KEYS_KEPT.total_seconds())
    for _ in range(2):
        with pytest.raises(Rejected):
            await reader.opening()
