"""The OpenAPI document of the authorization server, held against it by schemathesis with anything it thinks of."""

from __future__ import annotations

import asyncio
from typing import Any, Final

import pytest
import schemathesis
from schemathesis import GenerationMode

from services.xero_mcp.domain.registration import REGISTRATIONS_A_MINUTE
from tests.contract.xero_mcp.asking import registered
from tests.contract.xero_mcp.conftest import CALLBACK, McpStage
from tests.house.tree import REPOSITORY
from tests.support.openapi import ask_anything, operations_of, read_document, want_openapi, ways_to_ask

EXAMPLES: Final = 20
"""Requests an operation and kind: some seconds for all; the same ones with each run."""

ADDRESS_MAX_BYTES: Final = 60_000
"""Bytes of a query. Beyond 64 KB uvicorn closes the connection before anything of ours hears of it."""

DOCUMENT: Final = read_document(REPOSITORY / "services" / "xero_mcp" / "api" / "openapi.json")


def test_the_document_is_one_of_openapi() -> None:
    want_openapi(DOCUMENT)


async def test_the_document_tells_of_every_endpoint_and_of_no_other(quick: McpStage) -> None:
    served = {
        (method.lower(), route.path)
        for route in quick.mcp.app.router.routes
        if route.path != "/mcp"
        for method in route.methods - {"HEAD", "OPTIONS"}
    }
    assert served == set(operations_of(DOCUMENT))


@pytest.mark.parametrize("way", ways_to_ask(DOCUMENT), ids=lambda way: "-".join(map(str, way)))
async def test_whatever_is_sent_the_answer_is_one_that_is_written_down(
    quick: McpStage, way: tuple[str, str, GenerationMode]
) -> None:
    document = told_of(DOCUMENT, client=await registered(quick))

    def call(case: schemathesis.Case) -> schemathesis.Response:
        return case.call(base_url=quick.root)

    before = await quick.kept()
    await asyncio.to_thread(ask_anything, document, way, call, examples=EXAMPLES, address_max_bytes=ADDRESS_MAX_BYTES)
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
