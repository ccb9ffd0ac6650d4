"""Faults on order: which call shall fail, how, and how often."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

FAULTS_MAX: Final = 1_000
"""Faults waiting at once; more is a loop in a test."""


class Fault(BaseModel):
    """An order for failures.

    Attributes:
        method: `GET`, `POST`, `DELETE`, or `*` for any.
        path: A path or its template as `calls` shows it (`/api.xro/2.0/Invoices/{InvoiceID}`), or `*` for any.
        kind: `403`, `429`, `500`, `503`; `timeout`: no answer until the caller gives up; `html`: a page of HTML
            with status 200; `revoked`: as if the token were revoked; `lost`: it is done, and the connection drops
            unanswered.
        times: How many calls fail.
        after: How many matching calls pass before.
        retry_after: Seconds in the Retry-After header of 429 and 503.
    """

    model_config = ConfigDict(extra="forbid")

    method: str = "*"
    path: str = "*"
    kind: Literal["403", "429", "500", "503", "timeout", "html", "revoked", "lost"]
    times: Annotated[int, Field(ge=1)] = 1
    after: Annotated[int, Field(ge=0)] = 0
    retry_after: Annotated[int, Field(ge=0)] | None = None

    def matches(self, method: str, path: str, template: str) -> bool:
        """Whether this call is one the order speaks of."""
        return self.method.upper() in {"*", method} and self.path in {"*", path, template}


@dataclass
class Faults:
    """The orders that are not used up, oldest first. They live in memory."""

    _waiting: list[Fault] = field(default_factory=list)

    def order(self, fault: Fault) -> None:
        """Add one.

        Raises:
            ValueError: there are too many.
        """
        if len(self._waiting) >= FAULTS_MAX:
            raise ValueError(f"more than {FAULTS_MAX} faults are waiting")
        self._waiting.append(fault)

    def next_for(self, method: str, path: str, template: str) -> Fault | None:
        """Count this call against the orders; the fault it shall meet, if any."""
        for fault in self._waiting:
            if not fault.matches(method, path, template):
                continue
            if fault.after > 0:
                fault.after -= 1
                continue
            fault.times -= 1
            if fault.times == 0:
                self._waiting.remove(fault)
            return fault
        return None

    def waiting(self) -> list[dict[str, Any]]:
        """What is left of the orders."""
        return [fault.model_dump() for fault in self._waiting]

    def forget(self) -> None:
        """Cancel all orders."""
        self._waiting.clear()
