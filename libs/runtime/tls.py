"""Whose certificates are believed: the same ones by every client of a process."""

from __future__ import annotations

import ssl
from functools import cache

import httpx

from libs.contracts.errors import Rejected


@cache
def authorities() -> ssl.SSLContext:
    """What each HTTP client is given as `verify`: authorities of certifi, or those of SSL_CERT_FILE or SSL_CERT_DIR.

    Reading them takes some 30 ms in which nothing else runs, which a client does for itself when it is given nothing.

    Raises:
        Rejected: `bad_settings` when SSL_CERT_FILE names no file of certificates.
    """
    try:
        return httpx.create_ssl_context()
    except OSError as error:  # what OpenSSL says of a file is one too
        sentence = "SSL_CERT_FILE names no file that certificates can be read from; set it right, or not at all."
        raise Rejected(sentence, code="bad_settings") from error
