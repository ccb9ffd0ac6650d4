"""How the stand-in answers: JSON, Qonto's envelope of errors, and the refusals that end a request."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import uuid4

import orjson
from aiohttp import web


class Refusal(Exception):
    """Ends a request with an answer in Qonto's envelope.

    Attributes:
        status: The HTTP status.
        code: Qonto's word.
        detail: A sentence.
        source: What it is about: `{"pointer": ...}` or `{"parameter": ...}`; None when it is about everything.
    """

    def __init__(self, status: int, code: str, detail: str, source: Mapping[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail
        self.source = source


def json_answer(content: object, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    """An answer in JSON."""
    return web.Response(
        body=orjson.dumps(content), status=status, headers=headers, content_type="application/json", charset="utf-8"
    )


def envelope(
    status: int,
    code: str,
    detail: str,
    source: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
) -> web.Response:
    """An error as documented: a list of one entry, and always a trace id. Source: docs.qonto.com, "Errors"."""
    entry = fault_entry(code, detail, source)
    return json_answer({"errors": [entry], "trace_id": uuid4().hex}, status, headers)


def object_envelope(status: int, code: str, detail: str) -> web.Response:
    """The other shape: `errors` is an object. Source: Qonto's Postman collection, 404 of attachments; qontoctl #604."""
    content = {"errors": {"code": code, "detail": detail, "message": detail}, "trace_id": uuid4().hex}
    return json_answer(content, status)


def fault_entry(code: str, detail: str, source: Mapping[str, str] | None = None) -> dict[str, Any]:
    """One entry of `errors`."""
    return {"code": code, "detail": detail, **({"source": dict(source)} if source else {})}


def html_answer(title: str, text: str, status: int = 200) -> web.Response:
    """A page where JSON was hoped for."""
    page = f"<!doctype html><html lang=en><title>{title}</title><h1>{title}</h1><p>{text}</p></html>"
    return web.Response(text=page, status=status, content_type="text/html")
