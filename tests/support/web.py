"""A client or browser of a test."""

from __future__ import annotations

from typing import Any, Final

import httpx

from libs.runtime.tls import authorities

PATIENCE_SECONDS: Final = 30.0
"""Seconds. Longer than any answer takes on a machine that is busy with other tests."""


def web_client(*, timeout: float = PATIENCE_SECONDS, **options: Any) -> httpx.AsyncClient:  # noqa: ANN401 - httpx's own
    """One that shares what it believes with all others; reading the authorities would take each 30 ms."""
    return httpx.AsyncClient(verify=authorities(), timeout=timeout, **options)
