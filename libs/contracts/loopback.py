"""The machine that a browser runs on, as addresses name it."""

from __future__ import annotations

from typing import Final

LOOPBACK_HOSTS: Final = frozenset({"localhost", "127.0.0.1", "::1"})
"""Whole host names, in small letters: `localhost.example.org` is anybody's. Source: RFC 8252, sections 7.3 and 8.3."""
