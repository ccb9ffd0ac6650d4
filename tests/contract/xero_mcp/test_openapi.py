"""The OpenAPI document of the authorization server, held against it by schemathesis with anything it thinks of."""

from __future__ import annotations

import asyncio
import json
from typing import Any, Final
from urllib.parse import urlencode

import jsonschema_rs
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, assume, given, settings
from schemathesis import GenerationMode, checks

from services.xero_mcp.domain.registration import REGISTRATIONS_A_MINUTE
from tests.contract.xero_mcp.asking import registered
from tests.contract.xero_mcp.conftest import CALLBACK, McpStage
from tests.house.tree import REPOSITORY

WRITTEN: Final = REPOSITORY / "services" / "xero_mcp" / "api" / "openapi.json"

EXAMPLES: Final = 20
"""Requests an operation and kind: some seconds for all, and other ones with each run."""

ADDRESS_MAX_BYTES: Final = 60_000
"""Bytes of a query. Beyond 64 KB uvicorn closes the connection before anything of ours hears of it."""

CHECKS: Final = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
)
"""That the document tells the truth. Whether a request is granted depends on more than its shape."""


def written() -> dict[str, Any]:
    document: dict[str, Any] = json.loads(WRITTEN.read_text())
    return document


OPERATIONS: Final = [(method, path) for path, methods in written()["paths"].items() for method in methods]


def test_the_document_is_one_of_openapi() -> None:
    schemathesis.openapi.from_dict(written()).validate()
    with pytest.raises(jsonschema_rs.ValidationError):
        schemathesis.openapi.from_dict({**written(), "paths": {"/token": {"post": {"responses": 7}}}}).validate()


async def test_the_document_tells_of_every_endpoint_and_of_no_other(quick: McpStage) -> None:
    served = {
        (method.lower(), route.path)
        for route in quick.mcp.app.router.routes
        if route.path != "/mcp"
        for method in route.methods - {"HEAD", "OPTIONS"}
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
async def test_whatever_is_sent_the_answer_is_one_that_is_written_down(
    quick: McpStage, method: str, path: str, mode: GenerationMode
) -> None:
    document = told_of(written(), client=await registered(quick))
    operation = schemathesis.openapi.from_dict(document)[path][method]
    wanted = checks.CHECKS.get_by_names(CHECKS)

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
        case.validate_response(case.call(base_url=quick.root), checks=wanted)

    before = await quick.kept()
    await asyncio.to_thread(ask)
    after = await quick.kept()
    assert after | {"client": 0, "request": 0} == before | {"client": 0, "request": 0}
    assert after["client"] <= REGISTRATIONS_A_MINUTE * 2
    assert after["request"] <= EXAMPLES


def told_of(document: dict[str, Any], *, client: str) -> dict[str, Any]:
    """The document for a fuzzer that knows a client, so that its requests get past the first look."""

    def told(words: Any) -> Any:  # noqa: ANN401 - JSON
        if isinstance(words, list):
            return [told(word) for word in words]
        if not isinstance(words, dict):
            return words
        known = {key: told(word) for key, word in words.items()}
        for name, word in (("client_id", client), ("redirect_uri", CALLBACK)):
            if words.get("name") == name:
                known["schema"] = {"enum": [word]}
            if isinstance(words.get(name), dict) and "maxLength" in words[name]:
                known[name] = {"enum": [word]}
        return known

    return {**document, "paths": told(document["paths"])}
