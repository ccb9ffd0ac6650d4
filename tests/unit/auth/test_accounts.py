"""The consent a Xero token comes from, read off the token."""

from __future__ import annotations

import base64
import json

import pytest

from services.auth.adapters.accounts import consent_event_of


def token(claims: object) -> str:
    """A JWT with these claims."""
    part = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"e30.{part}.signature"


def test_a_xero_token_names_its_consent() -> None:
    assert consent_event_of(token({"authentication_event_id": "d3c5…", "sub": "x"})) == "d3c5…"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "opaque",
        "a.b",
        "a.é.c",
        "a.!!!!.c",
        "a.bm8.c",
        token([]),
        token({}),
        token({"authentication_event_id": 7}),
        token({"authentication_event_id": ""}),
    ],
)
def test_a_token_that_names_none_is_no_mistake(text: str) -> None:
    assert consent_event_of(text) is None
