"""The forms of Xero's answers: an envelope for what it gives, and three kinds of refusal."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final
from xml.sax.saxutils import escape

import orjson
from aiohttp import web

from libs.xero.dates import milliseconds
from libs.xero.standin import exact_json

QUERY_ERROR: Final = 16
HIGH_VOLUME_ERROR: Final = 51
"""Xero's ErrorNumber of a query it cannot parse, and of one that touches too much."""


def enveloped(key: str, bodies: Sequence[bytes], now: datetime, pagination: object | None = None) -> web.Response:
    """Records under their key, in the envelope of every answer of the API."""
    envelope: dict[str, object] = {
        "Id": str(uuid.uuid4()),
        "Status": "OK",
        "ProviderName": "Well",
        "DateTimeUTC": f"/Date({milliseconds(now)})/",
    }
    if pagination is not None:
        envelope["pagination"] = pagination
    envelope[key] = [orjson.Fragment(body) for body in bodies]
    return as_json(envelope)


def as_json(value: object, *, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    """Any JSON."""
    return web.Response(
        status=status, body=exact_json.dumps(value), content_type="application/json", headers=dict(headers or {})
    )


def problem(status: int, title: str, detail: str, headers: Mapping[str, str] | None = None) -> web.Response:
    """A refusal of the gateway in front of the API."""
    body = {"Type": None, "Title": title, "Status": status, "Detail": detail, "Instance": str(uuid.uuid4())}
    return as_json({**body, "Extensions": {}}, status=status, headers=headers)


def unauthorized(*, scope_missing: bool = False) -> web.Response:
    """401: the token is not honoured, or does not carry the scope; which of the two is told in the challenge."""
    error = "insufficient_scope" if scope_missing else "invalid_token"
    detail = "AuthorizationUnsuccessful" if scope_missing else "TokenExpired"
    return problem(401, "Unauthorized", detail, {"WWW-Authenticate": f'Bearer error="{error}"'})


def api_exception(kind: str, number: int, message: str) -> web.Response:
    """400: the API itself does not do what was asked."""
    return as_json({"ErrorNumber": number, "Type": kind, "Message": message}, status=400)


def not_found() -> web.Response:
    """404, which Xero says in plain text."""
    return web.Response(status=404, text="The resource you're looking for cannot be found")


def xml_refusal(message: str) -> web.Response:
    """406: without `Accept: application/json` Xero speaks XML, and the stand-in does not."""
    body = f"<ApiException><Type>NotAcceptable</Type><Message>{escape(message)}</Message></ApiException>"
    return web.Response(status=406, text=body, content_type="application/xml")
