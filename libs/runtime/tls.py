"""Whose certificates are believed: the same ones by every client of a process."""

from __future__ import annotations

import ssl
from functools import cache

import httpx


@cache
def authorities() -> ssl.SSLContext:
    """What each HTTP client is given as `verify`: authorities of certifi, or those of SSL_CERT_FILE or SSL_CERT_DIR.

    Reading them takes some 30 ms in which nothing else runs, which a client does for itself when it is given nothing.
    """
    return httpx.create_ssl_context()
