"""Holding a server to its OpenAPI document with schemathesis: what both documents of ours are asked in one way."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from posixpath import normpath
from typing import Any, Final, TypeAlias
from urllib.parse import unquote, urlencode

import jsonschema_rs
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, assume, given, settings
from schemathesis import GenerationMode, checks

Document: TypeAlias = dict[str, Any]

_CHECKS: Final = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
)
"""That the document tells the truth. Whether a request comes to something depends on more than its shape."""


def read_document(path: Path) -> Document:
    """The document as it is written."""
    document: Document = json.loads(path.read_text())
    return document


def operations_of(document: Document) -> list[tuple[str, str]]:
    """Every method and path."""
    return [(method, path) for path, methods in document["paths"].items() for method in methods]


def ways_to_ask(document: Document) -> list[tuple[str, str, GenerationMode]]:
    """Every operation asked rightly and wrongly; what takes no words cannot be sent wrong ones."""
    return [
        (method, path, mode)
        for method, path in operations_of(document)
        for mode in GenerationMode
        if mode.is_positive or {"parameters", "requestBody"} & set(document["paths"][path][method])
    ]


def want_openapi(document: Document) -> None:
    """Fail unless the document is one of OpenAPI; that this can fail is tried on one that is spoilt."""
    schemathesis.openapi.from_dict(document).validate()
    spoilt = {**document, "paths": {"/odd": {"get": {"responses": 7}}}}
    with pytest.raises(jsonschema_rs.ValidationError):
        schemathesis.openapi.from_dict(spoilt).validate()


def ask_anything(
    document: Document,
    way: tuple[str, str, GenerationMode],
    call: Callable[[schemathesis.Case], schemathesis.Response],
    *,
    examples: int,
    address_max_bytes: int,
) -> None:
    """Ask one operation whatever comes to mind, and fail when an answer is not one that is written down.

    Args:
        document: What is written down.
        way: Method, path, and whether rightly or wrongly.
        call: Sends a request.
        examples: Requests, the same ones with each run.
        address_max_bytes: Of a query; longer ones are left out.
    """
    method, path, mode = way
    operation = schemathesis.openapi.from_dict(document)[path][method]
    wanted = checks.CHECKS.get_by_names(_CHECKS)  # those of OpenAPI are known once a document was loaded

    @given(case=operation.as_strategy(generation_mode=mode))
    @settings(
        max_examples=examples,
        derandomize=True,  # chance has a seed: what lands does not hang on what came to mind this time
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def ask(case: schemathesis.Case) -> None:
        assume(len(urlencode(case.query or {}, doseq=True)) < address_max_bytes)
        assume(_lies_at(case, path))
        case.validate_response(call(case), checks=wanted)

    ask()


def _lies_at(case: schemathesis.Case, path: str) -> bool:
    """Whether a request lies at this path at all: `.` and `/` as words fall out on the way (RFC 3986, section 5.2.4).

    What is left may be the address of another operation, with statuses of its own.
    """
    return normpath(unquote(case.formatted_path)).count("/") == path.count("/")
