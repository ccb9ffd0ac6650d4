"""Where a browser may be sent, asked with plain addresses."""

from __future__ import annotations

import pytest

from services.xero_mcp.domain.redirect import is_registered, led_back, may_be_registered


@pytest.mark.parametrize(
    ("address", "registered", "same"),
    [
        ("http://localhost:41001/back", "http://localhost:1/back", True),
        ("http://[::1]:41001/back", "http://[::1]/back", True),
        ("http://127.0.0.1:41001/back", "http://localhost:1/back", False),
        ("http://localhost:41001/elsewhere", "http://localhost:1/back", False),
        ("http://localhost:41001/back?to=elsewhere", "http://localhost:1/back", False),
        ("https://localhost:41001/back", "https://localhost:1/back", False),
        ("https://localhost:41001/back", "http://localhost:1/back", False),
        ("https://app.example:8443/back", "https://app.example/back", False),
        ("https://app.example/back", "https://app.example/back", True),
    ],
)
def test_only_the_port_of_http_on_the_loopback_may_differ(address: str, registered: str, *, same: bool) -> None:
    # RFC 8252, section 7.3; anywhere else letter for letter: RFC 9700, section 4.1.3.
    assert is_registered(address, [registered]) is same


@pytest.mark.parametrize(
    "address",
    [
        "http://app.example/back",
        "https://app.example:0/back",
        "https://app.example:70000/back",
        "https://app.example/back#here",
        "https://app.example\\@evil.example/back",
        "https://me@app.example/back",
        "https://app..example/back",
        "https:///back",
        "custom:/back",
    ],
)
def test_an_address_that_leads_elsewhere_or_nowhere_cannot_be_registered(address: str) -> None:
    assert not may_be_registered(address)
    assert not is_registered(address.replace("#here", ""), ["https://app.example/other"])


def test_the_words_of_an_answer_stand_behind_those_an_address_has() -> None:
    assert led_back("https://app.example/back", {"code": "a b", "state": None}) == "https://app.example/back?code=a+b"
    assert led_back("https://app.example/back?at=1", {"code": "c"}) == "https://app.example/back?at=1&code=c"
