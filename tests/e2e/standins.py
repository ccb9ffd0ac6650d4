"""Words with a stand-in, from outside."""

from __future__ import annotations

from typing import Any, Final

from libs.qonto.standin import DEFAULT_ORGANIZATION
from tests.support.web import web_client

TENANT: Final = "d1a5c0de-0000-4000-8000-00000000cafe"
"""The demo's organisation in Xero."""

ORGANIZATION: Final = str(DEFAULT_ORGANIZATION)
"""The demo's organization at Qonto."""

_CALL_SECONDS: Final = 60.0
"""Seconds for one call; 25 MB in base64 take some."""


async def ask(url: str, path: str, **query: str | int) -> dict[str, Any]:
    """Ask a stand-in something under `/_standin/`."""
    async with web_client() as http:
        answer: dict[str, Any] = (
            (await http.get(f"{url}/_standin/{path}", params=query, timeout=_CALL_SECONDS)).raise_for_status().json()
        )
        return answer


async def tell(url: str, path: str, words: dict[str, Any]) -> None:
    """Tell a stand-in something under `/_standin/`."""
    async with web_client() as http:
        (await http.post(f"{url}/_standin/{path}", json=words, timeout=_CALL_SECONDS)).raise_for_status()
