"""The settings of the matcher."""

from __future__ import annotations

from dataclasses import dataclass

from services.matcher.domain.policy import STANDARD, Policy
from services.matcher.flow.decide import BATCH_BILLS


@dataclass(frozen=True, slots=True)
class MatcherSettings:
    """What may be set.

    Attributes:
        policy: Thresholds and rules of every workspace; rules of a single workspace come with the console's rules.
        batch_bills: Bills decided in one transaction.
    """

    policy: Policy = STANDARD
    batch_bills: int = BATCH_BILLS
