"""A client or browser of a test."""

from __future__ import annotations

from typing import Any

import httpx

from libs.runtime.tls import authorities


def web_client(**options: Any) -> httpx.AsyncClient:  # noqa: ANN401 - httpx's own
    """One that shares what it believes with all others; reading the authorities would take each 30 ms."""
    return httpx.AsyncClient(verify=authorities(), **options)
