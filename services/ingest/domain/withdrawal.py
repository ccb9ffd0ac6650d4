"""A record that its provider has taken back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Reason = Literal["voided", "deleted", "merged", "rejected"]


@dataclass(frozen=True)
class Withdrawal:
    """The provider voided, deleted, merged or rejected the record; `sentence` says so to a book-keeper."""

    reason: Reason
    sentence: str
