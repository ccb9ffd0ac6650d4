"""Another team's right to open the events of one workspace."""

from __future__ import annotations

from uuid import uuid4

import httpx
import pytest
from structlog.testing import capture_logs

from libs.auth_client.wire import PREFIX, OpeningKeys
from libs.contracts.errors import Malformed, Rejected
from services.auth.domain.ticket import LASTS
from tests.contract.auth.asking import Asked


async def _asks(auth: Asked, grant: str) -> httpx.Response:
    return await auth.http.get(f"{auth.auth.url}{PREFIX}/opening-keys", headers={"Authorization": f"Bearer {grant}"})


async def test_a_grant_opens_its_workspace_and_does_not_tell_how_names_are_blinded(asked: Asked) -> None:
    workspace = uuid4()
    auth = asked.auth.service
    keys = await auth.keys(workspace, "payloads")
    answer = await _asks(asked, await auth.reading.grant(workspace, "payments team"))
    assert answer.json() == {"workspace": str(workspace), "keys": {str(keys.current.id): keys.current.secret.hex()}}
    assert answer.headers["Cache-Control"] == "no-store"
    assert keys.index_secret.hex() not in answer.text


async def test_a_grant_may_be_shown_again_until_it_ends_or_is_taken_back(asked: Asked) -> None:
    auth, workspace = asked.auth.service, uuid4()
    kept, returned = [await auth.reading.grant(workspace, "payments team") for _ in range(2)]
    for _ in range(2):
        assert [(await _asks(asked, grant)).status_code for grant in (kept, returned)] == [200, 200]
    await auth.reading.take_back(returned)
    assert [(await _asks(asked, grant)).status_code for grant in (kept, returned)] == [200, 403]
    with pytest.raises(Rejected, match="ended already"):
        await auth.reading.take_back(returned)
    asked.clock.advance(LASTS["read_events"].total_seconds())
    answer = await _asks(asked, kept)
    assert (answer.status_code, answer.json()["code"]) == (403, "reading_grant")


async def test_a_grant_of_one_workspace_opens_no_other(over_http: Asked) -> None:
    auth, mine, other = over_http.auth.service, uuid4(), uuid4()
    grant = await auth.reading.grant(mine, "payments team")
    answer = await _asks(over_http, grant.replace(mine.hex, other.hex))
    assert (answer.status_code, answer.json()["code"]) == (403, "reading_grant")


async def test_nothing_but_a_grant_opens_and_a_grant_opens_nothing_else(over_http: Asked) -> None:
    auth, workspace = over_http.auth.service, uuid4()
    grant = await auth.reading.grant(workspace, "payments team")
    sign_in = (await auth.sign_in_ticket(workspace)).rpartition("ticket=")[2]
    for shown in ("x", "." * 500, sign_in, f"{workspace.hex}.", f"{workspace}.{'a' * 43}"):
        assert (await _asks(over_http, shown)).status_code == 403
    for path in ("workspaces", f"workspaces/{workspace}/keys/payloads", f"opening-keys/{workspace}"):
        answer = await over_http.http.get(
            f"{over_http.auth.url}{PREFIX}/{path}", headers={"Authorization": f"Bearer {grant}"}
        )
        assert (answer.status_code, answer.json()["code"]) == (403, "service_token")


@pytest.mark.parametrize("name", ["", "n" * 101])
async def test_a_reader_has_a_name_of_some_length(over_http: Asked, name: str) -> None:
    with pytest.raises(Malformed):
        await over_http.auth.service.reading.grant(uuid4(), name)


async def test_the_log_says_who_read_and_holds_neither_grant_nor_key(over_http: Asked) -> None:
    auth, workspace = over_http.auth.service, uuid4()
    grant = await auth.reading.grant(workspace, "payments team")
    with capture_logs() as written:
        told = OpeningKeys.model_validate_json((await _asks(over_http, grant)).content)
    [line] = [entry for entry in written if entry["event"] == "auth.opened_to_reader"]
    assert (line["reader"], line["workspace"]) == ("payments team", str(workspace))
    assert grant.partition(".")[2] not in str(written)
    assert not any(secret in str(written) + repr(told) for secret in told.keys.values())
