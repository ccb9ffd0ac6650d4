"""Text for the core fonts of PDF, which hold Latin-1 and nothing else.

What Latin-1 lacks is written in letters it has, and what cannot be is shown as its code point, `[U+4E2D]`, so that a
reader sees that something stood there. Nothing is dropped in silence.
"""

from __future__ import annotations

import unicodedata
from typing import Final

LATIN1_END: Final = 0x100
"""The first code point beyond Latin-1."""

_SPELLED: Final = str.maketrans(
    {
        "€": "EUR",
        "Œ": "OE",
        "œ": "oe",
        "ẞ": "SS",
        "Ł": "L",
        "ł": "l",
        "Đ": "D",
        "đ": "d",
        "\u0131": "i",
        **dict.fromkeys("\u2018\u2019\u201a", "'"),
        **dict.fromkeys("\u201c\u201d\u201e", '"'),
        **dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2212", "-"),
        "\u2026": "...",
        "\u2022": "·",
        "\u2009": " ",
        "\u202f": " ",
        "\t": " ",
        "\r": "",
    }
)
"""Letters and marks without a Unicode decomposition, as a printer without them has always set them."""


def in_latin1(text: str) -> str:
    """The text in Latin-1; line breaks stay, other control characters are shown as code points."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_shown(character) for character in text.translate(_SPELLED))


def on_one_line(text: str) -> str:
    """The same, with every run of white space as one space."""
    return " ".join(in_latin1(text).split())


def _shown(character: str) -> str:
    if character in "\n\xa0" or _is_held(character):
        return character
    bare = "".join(part for part in unicodedata.normalize("NFKD", character) if not unicodedata.combining(part))
    if bare and all(map(_is_held, bare)):
        return bare
    return "" if unicodedata.combining(character) else f"[U+{ord(character):04X}]"


def _is_held(character: str) -> bool:
    return ord(character) < LATIN1_END and character.isprintable()
