"""What each refusal of Qonto asks of us. Pure: status, headers and body in, an error out.

Source: docs.qonto.com, "Errors" and "Rate limits". `errors` is a list there; an object, a flat `{code, detail}` and
OAuth's `{error, error_description}` are seen in life, and a page of HTML wherever a proxy answers.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from libs.contracts.errors import ConsentLost, OutcomeUnknown, Rejected, Transient, WellError
from libs.qonto.words import Json, NotJson, Record, object_in
from libs.runtime.retry_after import asked_seconds

RETRY_AFTER_MAX_SECONDS: Final = 3600.0
"""Seconds. The longest window of Qonto's limits is an hour (200 times 401); a longer wait is not believed."""

DETAIL_MAX: Final = 500
"""Codepoints of a detail that are kept: a sentence, not a page."""

_STABLE_WORD: Final = re.compile(r"[a-z][a-z0-9_]{0,63}")
_TRACE_ID: Final = re.compile(r"[A-Za-z0-9-]{1,64}")


@dataclass(frozen=True)
class Fault:
    """One entry of a refusal.

    Attributes:
        code: A stable word such as `invalid`; `unnamed` when Qonto gave none that looks like one.
        detail: Qonto's sentence; it may name a file, so it belongs in no log.
        pointer: What it is about: a JSON pointer or a parameter's name; empty when Qonto does not say.
    """

    code: str
    detail: str
    pointer: str


def faults_in(answer: Record) -> tuple[Fault, ...]:
    """The entries of an error answer, whichever of Qonto's shapes it has; none when it tells of no error."""
    errors = answer.get("errors")
    entries: list[Json] = errors if isinstance(errors, list) else [errors] if isinstance(errors, dict) else []
    if not entries and ("error" in answer or "code" in answer):
        entries = [{"code": answer.get("error"), "detail": answer.get("error_description"), **answer}]
    return tuple(_fault(entry) for entry in entries if isinstance(entry, dict))


def refusal_of_read(status: int, headers: Mapping[str, str], body: bytes) -> WellError:
    """The error for an answer to a read that is not the one hoped for; 5xx and redirects to a login may pass."""
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR or status < HTTPStatus.BAD_REQUEST:
        return Transient(f"Qonto did not answer as it should ({status}).", retry_after_seconds=_seconds(headers))
    if status == HTTPStatus.REQUEST_TIMEOUT:
        return Transient("Qonto gave up waiting for the request (408).")
    return _refusal(status, headers, body)


def refusal_of_upload(status: int, headers: Mapping[str, str], body: bytes) -> WellError:
    """The error for an answer to an upload that is not 200. Whatever may have been done is OutcomeUnknown."""
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR or status < HTTPStatus.BAD_REQUEST:
        return OutcomeUnknown(f"Qonto answered an upload with {status}; it may hold the file.")
    if status == HTTPStatus.REQUEST_TIMEOUT:
        return OutcomeUnknown("Qonto answered an upload with 408; it may hold the file.")
    return _refusal(status, headers, body)


def _refusal(status: int, headers: Mapping[str, str], body: bytes) -> WellError:
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return Transient("Qonto's limit of calls is reached (429).", retry_after_seconds=_seconds(headers))
    if status == HTTPStatus.UNAUTHORIZED:
        return ConsentLost("Qonto no longer accepts our token for this connection (401). Reconnect Qonto.")
    if status == HTTPStatus.FORBIDDEN:
        return Rejected(
            "Qonto forbids this call (403): a scope was not granted, or the person who connected may not do it. "
            f"Reconnect with every scope, as an owner or admin.{_quoted(body)}",
            code="forbidden",
        )
    if status == HTTPStatus.NOT_FOUND:
        return Rejected(f"Qonto does not have what was asked for (404).{_quoted(body)}", code="not_found")
    named = faults_in(_answer(body))
    code = named[0].code if named and named[0].code != "unnamed" else f"http_{status}"
    return Rejected(f"Qonto refused the request ({status}, {code}).{_quoted(body)}", code=code)


def _answer(body: bytes) -> Record:
    try:
        return object_in(body)
    except NotJson:
        return {}


def _quoted(body: bytes) -> str:
    """The trace id, which Qonto's support asks for."""
    trace = _answer(body).get("trace_id")
    return f" Trace id {trace}." if isinstance(trace, str) and _TRACE_ID.fullmatch(trace) else ""


def _fault(entry: Record) -> Fault:
    code, source = entry.get("code"), entry.get("source")
    about = (source.get("pointer") or source.get("parameter")) if isinstance(source, dict) else None
    detail = entry.get("detail") or entry.get("message")
    return Fault(
        code=code if isinstance(code, str) and _STABLE_WORD.fullmatch(code) else "unnamed",
        detail=detail[:DETAIL_MAX] if isinstance(detail, str) else "",
        pointer=about if isinstance(about, str) else "",
    )


def _seconds(headers: Mapping[str, str]) -> float | None:
    return asked_seconds(headers, most_seconds=RETRY_AFTER_MAX_SECONDS)
