"""The settings of the matcher."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from services.matcher.domain.policy import STANDARD, Policy

BATCH_BILLS: Final = 500
"""Bills a transaction. As with the bus: large enough for group commit, small enough to stop soon."""


@dataclass(frozen=True, slots=True)
class MatcherSettings:
    """What may be set.

    Attributes:
        policy: Thresholds and rules of every workspace; rules of a single workspace come with the console's rules.
        batch_bills: Bills decided in one transaction.
    """

    policy: Policy = STANDARD
    batch_bills: int = BATCH_BILLS
