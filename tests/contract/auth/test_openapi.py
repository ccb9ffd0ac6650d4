"""The OpenAPI document of auth's pages, held against them by schemathesis with anything it thinks of."""

from __future__ import annotations

import asyncio
import json
from typing import Any, Final
from urllib.parse import urlencode
from uuid import UUID, uuid4

import httpx
import jsonschema_rs
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, assume, given, settings
from schemathesis import GenerationMode, checks

from libs.auth_client.wire import SESSION_COOKIE
from tests.contract.auth.conftest import Stage, events_of
from tests.contract.auth.test_connect import authorize_url, callback, code_for
from tests.house.tree import REPOSITORY
from tests.support.auth import web_client

WRITTEN: Final = REPOSITORY / "services" / "auth" / "api" / "openapi.json"

EXAMPLES: Final = 10
"""Requests an operation and kind: some seconds for all, and other ones with each run."""

ADDRESS_MAX_BYTES: Final = 6_000
"""Bytes of a query. Beyond 8 kB aiohttp refuses the request line before anything of ours hears of it."""

CHECKS: Final = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
)
"""That the document tells the truth. Whether a visit comes to something depends on more than its shape."""


def written() -> dict[str, Any]:
    document: dict[str, Any] = json.loads(WRITTEN.read_text())
    return document


OPERATIONS: Final = [(method, path) for path, methods in written()["paths"].items() for method in methods]


def test_the_document_is_one_of_openapi() -> None:
    schemathesis.openapi.from_dict(written()).validate()
    with pytest.raises(jsonschema_rs.ValidationError):
        schemathesis.openapi.from_dict({**written(), "paths": {"/sign-in": {"get": {"responses": 7}}}}).validate()


async def test_the_document_tells_of_every_page_and_of_no_other(quick: Stage) -> None:
    served = {
        (route.method.lower(), route.resource.canonical)
        for route in quick.auth.service.app.router.routes()
        if route.resource is not None and route.method != "HEAD"
    }
    assert served == set(OPERATIONS)


@pytest.mark.parametrize(
    ("method", "path", "mode"),
    [
        (method, path, mode)
        for method, path in OPERATIONS
        for mode in GenerationMode
        # What takes no words cannot be sent wrong ones.
        if mode.is_positive or {"parameters", "requestBody"} & set(written()["paths"][path][method])
    ],
)
@pytest.mark.parametrize("accept", ["text/html", "application/json"])
async def test_whatever_is_sent_the_answer_is_one_that_is_written_down_and_nothing_is_connected(
    quick: Stage, method: str, path: str, mode: GenerationMode, accept: str
) -> None:
    workspace = uuid4()
    pending = await authorize_url(quick, workspace)
    operation = schemathesis.openapi.from_dict(written())[path][method]
    wanted = checks.CHECKS.get_by_names(CHECKS)
    session = await session_of(quick, workspace)

    @given(case=operation.as_strategy(generation_mode=mode))
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def ask(case: schemathesis.Case) -> None:
        assume(len(urlencode(case.query or {}, doseq=True)) < ADDRESS_MAX_BYTES)
        headers = {"Accept": accept, "Cookie": f"{SESSION_COOKIE}={session}"}
        answer = case.call(base_url=quick.auth.url, headers=headers, allow_redirects=False)
        case.validate_response(answer, checks=wanted)

    await asyncio.to_thread(ask)
    assert await quick.auth.service.connection_state(workspace, "xero") == "none"
    assert await events_of(quick.kept) == []
    page = await callback(quick, workspace, await code_for(quick, pending))
    assert page.status_code == httpx.codes.OK, "a consent under way was disturbed"
    assert await quick.auth.service.connection_state(workspace, "xero") == "active"


async def session_of(stage: Stage, workspace: UUID) -> str:
    """What the cookie of a browser says that is signed in for a workspace."""
    async with web_client() as browser:
        answer = await browser.get(await stage.auth.service.sign_in_ticket(workspace))
        return answer.cookies[SESSION_COOKIE]
