"""A key of a workspace as it is stored."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal
from uuid import UUID

Purpose = Literal["row", "index"]
"""`row` keys seal values; the `index` secret makes keyed fingerprints."""


@dataclass(frozen=True)
class WrappedKey:
    """A key that only the key-encryption key opens. One of each purpose is current; older ones still open."""

    id: UUID
    purpose: Purpose
    wrapped: bytes = field(repr=False)
    current: bool
    made_at: datetime
