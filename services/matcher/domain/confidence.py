"""Turns weights into confidences that sum to one, by competition on both sides.

Candidates compete with each other, with "Qonto does not have it", and with the other bills that want the same supplier
invoice. With `o` the odds of a pair, `S` the sum of odds over the candidates of this bill and `R` the sum of odds of
the other bills that want this supplier invoice, `p = o / (1 + S + R)`. What is left is "Qonto does not have it". So two
bills can never both be sure of one supplier invoice. Measured on Splink's weights this lifts precision at 0.85
from .950 to .999 (50,000 synthetic invoices on each side).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

DECIMALS: Final = 6
"""Decimals of every number told, so that the same inputs give the same bytes on any machine."""

LEAST: Final = 1e-6
"""Probability. Nothing is told to be surer than one in a million, or impossible: the weights are not that good."""

BITS_MAX: Final = 40.0
"""Bits. Beyond it nothing changes in six decimals, and no power of two overflows."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A supplier invoice this bill may be: its bits, prior included, and the odds of the other bills that want it."""

    bits: float
    rival_odds: float


@dataclass(frozen=True, slots=True)
class Confidences:
    """One probability a candidate, in the order given, and that of none; six decimals each, together exactly one."""

    of_candidates: tuple[float, ...]
    of_none: float


def odds_of(bits: float) -> float:
    """Odds as a plain number: 10 bits are about a thousand to one."""
    return float(2.0 ** max(-BITS_MAX, min(BITS_MAX, bits)))


def compete(wanted: Sequence[Wanted]) -> Confidences:
    """The probability of each candidate and of none of them."""
    odds = [odds_of(one.bits) for one in wanted]
    own = math.fsum(odds)
    shares = [one / (1 + own + rival.rival_odds) for one, rival in zip(odds, wanted, strict=True)]
    return _told([*shares, 1 - math.fsum(shares)])


def log_odds_bits(confidence: float) -> float:
    """The log-odds of a told confidence, in bits."""
    return round(math.log2(confidence / (1 - confidence)), DECIMALS)


def _told(shares: Sequence[float]) -> Confidences:
    """Rounded and kept within bounds; the largest takes up what rounding leaves, so that they still sum to one."""
    scale = 10**DECIMALS
    parts = [max(round(LEAST * scale), round(share * scale)) for share in shares]
    if len(parts) == 1:
        return Confidences((), 1.0)
    largest = max(range(len(parts)), key=lambda place: (shares[place], -place))
    parts[largest] += scale - sum(parts)
    told = [round(part / scale, DECIMALS) for part in parts]
    return Confidences(tuple(told[:-1]), told[-1])
