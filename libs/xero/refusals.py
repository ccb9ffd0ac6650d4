"""What each refusal of Xero asks of us. Pure: status, headers and the start of a body in, an error out."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Final

from libs.contracts.errors import ConsentLost, Rejected, Transient, WellError
from libs.runtime.retry_after import asked_seconds

OFFLINE_RETRY_SECONDS: Final = 300.0
"""Seconds. Xero asks to wait about five minutes when an organisation is offline (503)."""

RETRY_AFTER_MAX_SECONDS: Final = 86_400.0
"""Seconds. The longest window of Xero's limits is a day; a longer wait is not believed."""

_PROBLEMS: Final = frozenset({"minute", "day", "concurrent", "appminute"})
"""The values of X-Rate-Limit-Problem. Others are not repeated in a sentence: it may reach a log."""

_REFUSED: Final = {
    403: ("Xero forbids this call (403): the organisation was disconnected, or who connected it may not.", "forbidden"),
    404: ("Xero does not have what was asked for (404).", "not_found"),
}


def refusal(status: int, headers: Mapping[str, str], body: bytes) -> WellError:
    """The error for an answer that is not 200.

    Source: developer.xero.com/documentation/api/accounting/responsecodes and .../guides/oauth2/limits.

    Args:
        status: The HTTP status.
        headers: The answer's headers, found whatever their case.
        body: The start of the answer's body; read for `insufficient_scope` and for nothing else.
    """
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return _over_budget(headers)
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        wait = _seconds(headers) or OFFLINE_RETRY_SECONDS
        return Transient("Xero says this organisation is offline for now (503).", retry_after_seconds=wait)
    if status == HTTPStatus.UNAUTHORIZED:
        return _unauthorized(headers, body)
    if HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR:
        sentence, code = _REFUSED.get(status, (f"Xero refused the request ({status}).", f"http_{status}"))
        return Rejected(sentence, code=code)
    return Transient(f"Xero did not answer as it should ({status}).", retry_after_seconds=_seconds(headers))


def _unauthorized(headers: Mapping[str, str], body: bytes) -> WellError:
    if "insufficient_scope" in headers.get("WWW-Authenticate", "") or b"insufficient_scope" in body:
        return Rejected(
            "The consent at Xero does not cover this kind of record. Reconnect and grant every scope asked for.",
            code="insufficient_scope",
        )
    return ConsentLost("Xero no longer accepts our token for this connection (401). Reconnect Xero.")


def _over_budget(headers: Mapping[str, str]) -> Transient:
    problem = headers.get("X-Rate-Limit-Problem", "").lower()
    named = f"the {problem} limit" if problem in _PROBLEMS else "a limit it does not name"
    return Transient(f"Xero's budget of calls is used up: {named} (429).", retry_after_seconds=_seconds(headers))


def _seconds(headers: Mapping[str, str]) -> float | None:
    return asked_seconds(headers, most_seconds=RETRY_AFTER_MAX_SECONDS)
