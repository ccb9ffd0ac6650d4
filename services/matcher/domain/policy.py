"""What a workspace wants done by itself, and what it wants a person to see."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from libs.contracts.money import Money


@dataclass(frozen=True, slots=True)
class Policy:
    """Thresholds and rules, frozen under an id that stands in every decision.

    Attributes:
        id: Name and version; any change of a value is a new version.
        threshold: Probability at and above which a decision is carried out by itself.
        floor: Probability below which nothing is worth a person's look.
        rival_margin: Probability of "Qonto does not have it" that is wanted before posting when this bill, taken alone,
            would be one that Qonto has: then only rivals speak against it, and they must do so a hundred times over.
        asks_without_document: A bill without a file is shown instead of posted.
        asks_possible_duplicate: A bill that repeats another bill of Xero is shown instead of posted.
        asks_above: Bills above this amount in its currency are shown instead of posted; None for no limit.
    """

    id: str = "standard-1"
    threshold: float = 0.85
    floor: float = 0.55
    rival_margin: float = 0.99
    asks_without_document: bool = True
    asks_possible_duplicate: bool = True
    asks_above: Money | None = None


STANDARD: Final = Policy()
"""The thresholds of a workspace that has set none; no rule beyond the two that keep a posting from being wrong."""
