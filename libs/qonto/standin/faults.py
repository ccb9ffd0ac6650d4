"""Trouble on request: which call shall go wrong, how, and how often."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

import orjson
from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field

from libs.qonto.standin.answers import envelope, html_answer, json_answer, object_envelope

FAULTS_MAX: Final = 100
"""Faults that may wait at once; more is a mistake of the one who sets them."""

Kind = Literal[
    "401", "429", "500", "timeout_before", "timeout_after_commit", "html", "object_errors", "unknown_fields", "revoked"
]

UNHEARD_OF: Final = {"unheard_of": {"nested": [1, "2", None]}}
"""An attribute Qonto might add tomorrow. Source: docs.qonto.com, "Versioning"."""

UNHEARD_OF_STATUS: Final = "under_investigation"


class Fault(BaseModel):
    """One order of trouble.

    Attributes:
        method: `GET`, `POST` ...; `*` for any.
        path: A route's template such as `/v2/supplier_invoices/{id}`, or the beginning of a path.
        kind: What goes wrong. `401` refuses a good token, `revoked` ends its grant; the two time-outs keep the answer
            back until the caller gives up or a minute is over.
        times: How many calls it hits.
        after: How many matching calls pass first.
        retry_after: Seconds for `Retry-After` with 429; None sends none.
    """

    model_config = ConfigDict(extra="forbid")

    method: str = "*"
    path: str
    kind: Kind
    times: Annotated[int, Field(ge=1)] = 1
    after: Annotated[int, Field(ge=0)] = 0
    retry_after: Annotated[int, Field(ge=0)] | None = None

    def matches(self, method: str, path: str, template: str) -> bool:
        """Whether a call is meant."""
        return self.method in {"*", method} and (self.path == template or path.startswith(self.path))


class Faults:
    """The faults that wait, in the order they were set."""

    def __init__(self) -> None:
        self.waiting: list[Fault] = []

    def add(self, fault: Fault) -> None:
        """Let a fault wait.

        Raises:
            ValueError: `FAULTS_MAX` are waiting.
        """
        if len(self.waiting) >= FAULTS_MAX:
            raise ValueError(f"{FAULTS_MAX} faults are waiting already")
        self.waiting.append(fault)

    def next_for(self, method: str, path: str, template: str) -> Fault | None:
        """The fault that hits this call, counted down; None when the call may pass."""
        for fault in self.waiting:
            if not fault.matches(method, path, template):
                continue
            if fault.after:
                fault.after -= 1
                continue
            fault.times -= 1
            if not fault.times:
                self.waiting.remove(fault)
            return fault
        return None


def refused_by(kind: Literal["401", "500", "html", "object_errors"]) -> web.Response:
    """The answer of a fault that does nothing else."""
    if kind == "401":
        return envelope(401, "unauthorized", "The access token is missing, expired or revoked.")
    if kind == "500":
        return envelope(500, "internal_server_error", "Something went wrong")
    if kind == "html":
        return html_answer("Qonto", "We will be back soon.")
    return object_envelope(422, "unprocessable", "The request cannot be processed")


def with_unknown_fields(answer: web.Response) -> web.Response:
    """The answer a later Qonto might give: every object says more, and an invoice has a status nobody has heard of."""
    if answer.content_type != "application/json" or not isinstance(answer.body, bytes):
        return answer
    content = orjson.loads(answer.body)
    for key, value in content.items() if isinstance(content, dict) else ():
        for entry in value if isinstance(value, list) else [value]:
            if isinstance(entry, dict):
                entry.update(UNHEARD_OF)
                _give_status(key, entry)
    return json_answer(content, answer.status)


def _give_status(key: str, entry: dict[str, Any]) -> None:
    if key in {"supplier_invoice", "supplier_invoices"} and "status" in entry:
        entry["status"] = UNHEARD_OF_STATUS
