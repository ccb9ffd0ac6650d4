"""Names of suppliers as they can be compared: folded, without legal form, and as look-alike letters.

Why no library: docs/adr/0002-legal-forms-from-a-small-table.md.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

# Source: ISO 20275 (Entity Legal Forms), abbreviations and full names of the common forms of FR, BE, LU, DE, AT, CH,
# NL, GB, IE, US, ES, IT, PT, SE, NO, DK, FI, PL; folded as `folded` folds.
_FORMS: Final = frozenset(
    "sa sas sasu sarl eurl sci scp scop snc selarl sprl srl asbl scrl "
    "gmbh mbh ag kg kgaa ohg ug ek ev gbr aktiengesellschaft "
    "bv nv vof cv ltd limited plc llp llc lp inc incorporated corp corporation co company cic "
    "sl slu sau slp spa sapa snc sas lda unipessoal ab as asa aps oy oyj sp zoo se".split()
)
_PHRASES: Final = tuple(
    tuple(phrase.split())
    for phrase in (
        "societe a responsabilite limitee",
        "societe par actions simplifiee",
        "societe anonyme",
        "gesellschaft mit beschrankter haftung",
        "besloten vennootschap",
        "sociedad limitada",
        "sociedad anonima",
        "societa a responsabilita limitata",
        "societa per azioni",
        "sp z oo",
    )
)
_JOINING: Final = frozenset("and et und y e".split())
"""Words that stand for an ampersand and come and go with it; at an end of a name `y` or `e` is an initial."""

_LETTERS: Final = str.maketrans({"ø": "o", "æ": "ae", "œ": "oe", "ł": "l", "đ": "d", "ð": "d", "þ": "th"})
_SILENT: Final = re.compile("[.'`\u2019\u00b4]")
_GAP: Final = re.compile(r"[\W_]+")
_LOOK_ALIKE: Final = str.maketrans("0158i2", "olsblz")

NAMES_REMEMBERED: Final = 50_000
"""Names. About 25 MB; a workspace's suppliers fit many times, so that each is folded once."""


@dataclass(frozen=True, slots=True)
class NameForm:
    """A name as it is compared.

    Attributes:
        core: Its words in order, without the legal form.
        words: The same, one by one.
        look_alike: The core without gaps, with letters and digits that machines confuse made the same.
    """

    core: str
    words: tuple[str, ...]
    look_alike: str


def folded(name: str) -> str:
    """Lower case without accents and marks, words one space apart: `S.A.R.L. Brémond & Fils` -> `sarl bremond fils`."""
    plain = unicodedata.normalize("NFKD", name.casefold()).translate(_LETTERS)
    plain = "".join(letter for letter in plain if not unicodedata.combining(letter))
    words = _GAP.sub(" ", _SILENT.sub("", plain)).split()
    ends = (0, len(words) - 1)
    return " ".join(word for place, word in enumerate(words) if word not in _JOINING or place in ends)


@lru_cache(maxsize=NAMES_REMEMBERED)
def name_form(name: str | None) -> NameForm | None:
    """The name as it is compared; None when there is none, or nothing but marks."""
    words = tuple(folded(name or "").split())
    if not words:
        return None
    core = _without_form(words) or words
    return NameForm(" ".join(core), core, look_alike("".join(core)))


def look_alike(text: str) -> str:
    """Lower-case text with what machines confuse made one: 0 and o, 1 i and l, 5 and s, 8 and b, 2 and z, rn and m."""
    return text.replace("rn", "m").translate(_LOOK_ALIKE)


def _without_form(words: tuple[str, ...]) -> tuple[str, ...]:
    """Without the legal form at either end; what stands in the middle is part of the name."""
    for phrase in _PHRASES:
        if words[-len(phrase) :] == phrase:
            return _without_form(words[: -len(phrase)])
        if words[: len(phrase)] == phrase:
            return _without_form(words[len(phrase) :])
    while words and words[-1] in _FORMS:
        words = words[:-1]
    while len(words) > 1 and words[0] in _FORMS:
        words = words[1:]
    return words
