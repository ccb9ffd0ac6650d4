"""Which supplier invoices a bill is compared with, and which other bills want the same one: those that share a key.

A key is equal on both sides or not; the store keeps keyed fingerprints of them, never the values. Each key catches
what the others lose: a missing name, a number read wrongly, a date beside, a digit of the total.
"""

from __future__ import annotations

from typing import Final

from services.matcher.domain.names import look_alike
from services.matcher.domain.side import Side

KEY_HOLDERS_MAX: Final = 24
"""Records. A key that more records share tells them too badly apart to be worth reading them: it is passed over, whole,
so that what is compared never depends on the order of arrival. A bill's other keys still find its own invoice."""

WORD_MIN: Final = 4
"""Letters of a word that may stand for the whole name in a key."""


def keys_of(side: Side) -> tuple[str, ...]:
    """The keys of a record, at most six; each says what it is made of."""
    keys = []
    name = side.name
    if side.reference is not None and side.reference.is_strong:
        keys.append(f"number|{side.reference.look_alike}")
    elif side.reference is not None and side.reference.is_short and name is not None:
        keys.append(f"number+supplier|{side.reference.look_alike}|{name.look_alike}")
    if side.total is not None:
        amount = f"{side.total.minor}{side.total.currency}"
        keys.append(f"amount|{amount}")
        if side.issue_date is not None:
            keys.append(f"amount+day|{amount}|{side.issue_date}")
        if name is not None:
            keys.append(f"amount+supplier|{amount}|{name.look_alike}")
            longest = max(name.words, key=len)
            if len(name.words) > 1 and len(longest) >= WORD_MIN:
                keys.append(f"amount+word|{amount}|{look_alike(longest)}")
    if name is not None and side.issue_date is not None:
        keys.append(f"supplier+day|{name.look_alike}|{side.issue_date}")
    return tuple(keys)


def number_and_peer_keys_of(side: Side) -> tuple[str, ...]:
    """Those of a bill's keys that another bill shares when it repeats this one."""
    number = side.reference.look_alike if side.reference and side.reference.is_strong else None
    peer = peer_key_of(side)
    return (*([f"number|{number}"] if number else []), *([peer] if peer else []))


def peer_key_of(side: Side) -> str | None:
    """The one of a bill's keys under which the same supplier's bills over the same amount lie."""
    if side.total is None or side.name is None:
        return None
    return f"amount+supplier|{side.total.minor}{side.total.currency}|{side.name.look_alike}"
