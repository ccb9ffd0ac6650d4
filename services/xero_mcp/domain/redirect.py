"""Where a browser may be sent: the addresses a program registers, and what is written behind them. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final
from urllib.parse import SplitResult, urlencode, urlsplit

from libs.contracts.loopback import LOOPBACK_HOSTS

ADDRESS_MAX_CHARACTERS: Final = 512
"""Characters of an address. Real ones have under 100; one that fills a page hides where it goes."""

_HOST: Final = re.compile(r"(\[[0-9a-f:.]+\]|[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*)(:[0-9]*)?", re.IGNORECASE)
"""A name that can be looked up, or an address in numbers; and a port. Source: RFC 1035, section 2.3.4."""


def split_address(address: str) -> SplitResult | None:
    """The parts of an address that every reader would split in the same way; None for any other.

    Backslashes, blanks and characters beyond ASCII are read differently by browsers and libraries, which is how an
    address that looks like one host leads to another.
    """
    if len(address) > ADDRESS_MAX_CHARACTERS or not all("!" <= character <= "~" for character in address):
        return None
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError:
        return None
    odd = "\\" in address or "#" in address or not _HOST.fullmatch(parts.netloc)
    return None if odd or port == 0 else parts


def is_loopback(parts: SplitResult) -> bool:
    """Whether an address leads to the machine that the browser runs on."""
    return parts.hostname in LOOPBACK_HOSTS


def may_be_registered(address: str) -> bool:
    """Whether it is https, or http on the loopback (RFC 8252, section 7.3), and has no fragment (RFC 6749, 3.1.2)."""
    parts = split_address(address)
    return parts is not None and (parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts)))


def is_registered(address: str, registered: Iterable[str]) -> bool:
    """Whether this is one of the registered addresses, letter for letter.

    On the loopback any port will do: a program on a desk listens where there is room (RFC 8252, section 7.3).
    """
    asked = split_address(address)
    if asked is None:
        return False
    return any(address == known or _same_but_port(asked, split_address(known)) for known in registered)


def led_back(address: str, words: Mapping[str, str | None]) -> str:
    """An address with the words of an answer behind those it already has; None leaves a word out."""
    said = urlencode({name: value for name, value in words.items() if value is not None})
    return f"{address}{'&' if '?' in address else '?'}{said}"


def _same_but_port(asked: SplitResult, known: SplitResult | None) -> bool:
    if known is None or known.scheme != "http" or not is_loopback(known):
        return False
    return _but_port(asked) == _but_port(known)


def _but_port(parts: SplitResult) -> tuple[str, str | None, str, str]:
    return parts.scheme, parts.hostname, parts.path, parts.query
