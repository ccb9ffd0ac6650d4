"""Which service may ask auth for what. The one table; whatever is not in it is refused."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final, Literal

from libs.contracts.errors import Rejected
from libs.contracts.identity import KeyPurpose
from libs.contracts.service_token import LIFE_SECONDS, ServiceToken, is_signed, parsed

Right = Literal[
    "borrow_xero",
    "borrow_qonto",
    "list_workspaces",
    "see_connections",
    "hold_keys_of_tokens",
    "hold_keys_of_payloads",
    "hold_keys_of_documents",
    "ask_consent",
    "see_visitors",
    "forget_erased",
]

KEYS_OF: Final[Mapping[KeyPurpose, Right]] = {
    "tokens": "hold_keys_of_tokens",
    "payloads": "hold_keys_of_payloads",
    "documents": "hold_keys_of_documents",
}
"""The right that the keys of each purpose want."""

RIGHTS: Final[Mapping[str, frozenset[Right]]] = {
    "xero_mcp": frozenset({"borrow_xero", "ask_consent", KEYS_OF["tokens"], "forget_erased"}),
    "ingest": frozenset(
        {
            *("borrow_qonto", "list_workspaces", "see_connections", "see_visitors", "forget_erased"),
            *(KEYS_OF["tokens"], KEYS_OF["payloads"], KEYS_OF["documents"]),
        }
    ),
    "matcher": frozenset({"list_workspaces", KEYS_OF["payloads"], "forget_erased"}),
    "pusher": frozenset(
        {
            *("borrow_qonto", "list_workspaces", "see_connections", "forget_erased"),
            *(KEYS_OF["payloads"], KEYS_OF["documents"]),
        }
    ),
    "console": frozenset({"list_workspaces", "see_connections", KEYS_OF["payloads"], "see_visitors", "forget_erased"}),
    "audit": frozenset({"list_workspaces", KEYS_OF["payloads"]}),
    "insights": frozenset({KEYS_OF["payloads"], "see_visitors"}),
}
"""One reader of Xero; one reader of Qonto and its only writer; a consent is asked for by the server that is read
through; browsers come to three services beside auth itself; who keeps rows forgets those of erased workspaces. Keys of
events and rows are for those who write or read them, of files for who fetches and who uploads them, of tokens for the
two ends of our MCP."""

CLOCKS_APART_SECONDS: Final = 30
"""Seconds that the clocks of two machines may differ. A token that ends later than its life and this allow was not made
by a caller's clock, and is refused: a service cannot give itself a longer-lived one."""


def may(service: str, right: Right) -> bool:
    """Whether a service has a right."""
    return right in RIGHTS.get(service, frozenset())


def caller_of(text: str, *, secrets: Mapping[str, bytes], now: datetime) -> ServiceToken:
    """The service that a token proves, and the workspace that it speaks of.

    Intentional: a token is accepted again within its life. Nonces that were seen would have to be shared by all
    processes of auth, and it would gain nothing: who can copy a token off the wire can read there what it is shown for.

    Raises:
        Rejected: `service_token` when it is none of ours; `service_token_expired` when it has ended, or claims to last
            longer than any does.
    """
    token = parsed(text)
    secret = secrets.get(token.service) if token else None
    if token is None or secret is None:
        raise Rejected("This call shows no service's token.", code="service_token")
    if not is_signed(token, secret=secret):
        raise Rejected(f"The token of {token.service} was not signed with its secret.", code="service_token")
    left_seconds = token.expires - now.timestamp()
    if not 0 < left_seconds <= LIFE_SECONDS + CLOCKS_APART_SECONDS:
        sentence = f"The token of {token.service} is out of its time; compare the clocks of both machines."
        raise Rejected(sentence, code="service_token_expired")
    return token
