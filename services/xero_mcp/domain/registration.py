"""What a program may say about itself when it registers. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Final
from urllib.parse import urlsplit

METADATA_MAX_BYTES: Final = 8192
"""Bytes of a registration. The SDK's own client sends 400."""

REDIRECTS_MAX: Final = 10
"""Redirect addresses of one client. Programs register one or two."""

NAME_MAX_CHARACTERS: Final = 100
"""Codepoints of a client's name: it stands on a page that a person must be able to read."""

CLIENTS_MAX: Final = 1000
"""Registered clients at most. A registration is open to everybody and must not grow the table."""

UNUSED_KEPT: Final = timedelta(hours=1)
"""How long a client that nobody has allowed anything keeps its place when the table is full."""

_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})


def problem_of_redirects(addresses: Sequence[str]) -> str | None:
    """Why these redirect addresses cannot be registered; None when they can.

    https anywhere, http on the loopback only (RFC 8252, section 7.3), and no fragment (RFC 6749, section 3.1.2).
    """
    if not 1 <= len(addresses) <= REDIRECTS_MAX:
        return f"between 1 and {REDIRECTS_MAX} redirect_uris are needed"
    for address in addresses:
        parts = urlsplit(address)
        loopback = parts.scheme == "http" and parts.hostname in _LOOPBACK
        if not parts.hostname or not (parts.scheme == "https" or loopback):
            return "a redirect_uri must be https, or http on the loopback"
        if parts.fragment or parts.username or parts.password:
            return "a redirect_uri must have neither fragment nor credentials"
    return None


def problem_of_name(name: str | None) -> str | None:
    """Why this name cannot stand on a consent page; None when it can."""
    if name is not None and (len(name) > NAME_MAX_CHARACTERS or not name.isprintable()):
        return f"client_name must be at most {NAME_MAX_CHARACTERS} printable characters"
    return None
