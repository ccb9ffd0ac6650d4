"""A key of a workspace as it is stored, and which of them seals."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Literal, TypeAlias
from uuid import UUID

from libs.contracts.identity import KeyPurpose

StoredPurpose: TypeAlias = KeyPurpose | Literal["index"]
"""The keys of three purposes seal; the `index` secret makes the keyed fingerprints of names, and never changes."""

PURPOSES: Final[tuple[KeyPurpose, ...]] = ("tokens", "payloads", "documents")


@dataclass(frozen=True)
class WrappedKey:
    """A key that only the key-encryption key opens. Every one opens what it sealed; one of each purpose seals.

    Attributes:
        id: Its name, which stands in what it seals.
        purpose: What it is for.
        generation: From 1, counted by purpose.
        wrapped: What the key provider made of it.
        made_at: When it was made.
        seals_from: From when on it seals, in place of the one before. Whoever opens has asked for the keys anew
            by then, so that nobody meets a key that he does not have.
    """

    id: UUID
    purpose: StoredPurpose
    generation: int
    wrapped: bytes = field(repr=False)
    made_at: datetime
    seals_from: datetime


def sealing(keys: Iterable[WrappedKey], *, now: datetime) -> WrappedKey:
    """Of the keys of one purpose, the one that seals. The first of all seals at once, whatever a clock says.

    Raises:
        ValueError: There is none.
    """
    by_age = sorted(keys, key=lambda key: key.generation)
    begun = [key for key in by_age if key.seals_from <= now] or by_age[:1]
    return max(begun, key=lambda key: key.generation)


def newest(keys: Iterable[WrappedKey], purpose: StoredPurpose) -> WrappedKey | None:
    """The last one made for a purpose, whether it seals yet or not."""
    return max((key for key in keys if key.purpose == purpose), key=lambda key: key.generation, default=None)
