"""What a program may say about itself: when it registers (RFC 7591), or in a document at its own address. Pure.

Words we do not know are ignored, as both specifications ask; words we know must be ones we can keep.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final, Literal
from urllib.parse import unquote, urlsplit

from services.xero_mcp.domain.redirect import ADDRESS_MAX_CHARACTERS, may_be_registered, split_address
from services.xero_mcp.domain.token import SCOPE

METADATA_MAX_BYTES: Final = 8192
"""Bytes of a registration or a document. The SDK's own client sends 400; the draft of documents proposes 5 KB."""

REDIRECTS_MAX: Final = 10
"""Redirect addresses of one client. Programs register one or two."""

NAME_MAX_CHARACTERS: Final = 100
"""Codepoints of a client's name: it stands on a page that a person must be able to read."""

CLIENTS_MAX: Final = 1000
"""Registered clients at most. A registration is open to everybody and must not grow the table."""

REGISTRATIONS_A_MINUTE: Final = 20
"""New clients a minute, over the installation: far more than people connect programs, and so few that those which
nobody allowed anything never fill the table within `UNUSED_KEPT`."""

UNUSED_KEPT: Final = timedelta(minutes=30)
"""How long a client that nobody has allowed anything is kept: as long as the consent page waits for an answer."""

IDLE_KEPT: Final = timedelta(days=32)
"""How long a client is kept after its last token: longer than a refresh token lives, and it holds none any more."""

GRANT_TYPES: Final = ("authorization_code", "refresh_token")
"""What there is, and what a program gets that asks for nothing: RFC 7591, section 2, gives it the first alone, and it
would have to ask its person every five minutes."""

AUTH_METHODS: Final = ("none", "client_secret_basic", "client_secret_post")

AuthMethod = Literal["none", "client_secret_basic", "client_secret_post"]


@dataclass(frozen=True)
class Client:
    """A program that may ask a person for consent.

    Attributes:
        id: Ours for a registered one; for one known by a document, the address of that.
        name: In its own words, which prove nothing.
        redirect_uris: Where it may have browsers sent.
        refreshes: Whether it may use refresh tokens.
        auth_method: How it proves who it is when it comes for tokens.
        secret: What it proves it with; None for a public one.
    """

    id: str
    name: str
    redirect_uris: tuple[str, ...]
    refreshes: bool = True
    auth_method: AuthMethod = "none"
    secret: str | None = field(default=None, repr=False)

    @property
    def document_host(self) -> str:
        """The host that vouches for it by keeping its document; empty for one that registered itself."""
        return urlsplit(self.id).netloc if is_document_address(self.id) else ""


@dataclass(frozen=True)
class Refusal:
    """Why a registration or a document is not taken.

    Attributes:
        error: The word of RFC 7591, section 3.2.2.
        sentence: What is wrong, for the program's author.
    """

    error: Literal["invalid_redirect_uri", "invalid_client_metadata"]
    sentence: str


def registered(words: Mapping[str, Any], *, client_id: str, secret: str) -> Client | Refusal:
    """The client that registers with these words; `secret` becomes its own unless it is a public one."""
    method = words.get("token_endpoint_auth_method", "client_secret_basic")
    if method not in AUTH_METHODS:
        return Refusal("invalid_client_metadata", f"token_endpoint_auth_method must be one of {_listed(AUTH_METHODS)}")
    problem = _problem(words) or _problem_of_grants(words)
    if problem is not None:
        return problem
    scope = words.get("scope", SCOPE)
    if not isinstance(scope, str) or not set(scope.split()) <= {SCOPE}:
        return Refusal("invalid_client_metadata", f"{SCOPE} is the one scope there is")
    return _client(words, client_id, method, None if method == "none" else secret)


def documented(words: object, *, address: str) -> Client | Refusal:
    """The client that a document speaks for. It is written for every server at once, so its scopes are not asked about.

    Source: draft-ietf-oauth-client-id-metadata-document, section 4: its id is its address, and it shares no secret.
    """
    if not isinstance(words, Mapping) or words.get("client_id") != address:
        return Refusal("invalid_client_metadata", "a document's client_id must be its own address")
    if words.get("token_endpoint_auth_method", "none") != "none" or "client_secret" in words:
        return Refusal("invalid_client_metadata", "a client known by its document can only be a public one here")
    problem = _problem(words)
    if problem is not None:
        return problem
    grants = words.get("grant_types", list(GRANT_TYPES))
    if not isinstance(grants, list) or "authorization_code" not in grants:
        return Refusal("invalid_client_metadata", "grant_types must include authorization_code")
    return _client(words, address, "none", None)


def is_document_address(client_id: str) -> bool:
    """Whether a client id is the address of a document: https, with a path that no reader shortens, and no query.

    Source: draft-ietf-oauth-client-id-metadata-document, section 3.
    """
    if not client_id.startswith("https://"):
        return False
    parts = split_address(client_id)
    if parts is None or parts.query or parts.path in {"", "/"}:
        return False
    return not {".", ".."} & set(unquote(parts.path).split("/"))


def _problem(words: Mapping[str, Any]) -> Refusal | None:
    addresses = words.get("redirect_uris")
    if not isinstance(addresses, list) or not 1 <= len(addresses) <= REDIRECTS_MAX:
        return Refusal("invalid_redirect_uri", f"between 1 and {REDIRECTS_MAX} redirect_uris are needed")
    if not all(isinstance(address, str) and may_be_registered(address) for address in addresses):
        sentence = (
            f"a redirect_uri must be https, or http on the loopback, have at most {ADDRESS_MAX_CHARACTERS} plain "
            "characters, and neither fragment nor credentials"
        )
        return Refusal("invalid_redirect_uri", sentence)
    name = words.get("client_name", "")
    if not isinstance(name, str) or len(name) > NAME_MAX_CHARACTERS or not name.isprintable():
        sentence = f"client_name must be at most {NAME_MAX_CHARACTERS} printable characters"
        return Refusal("invalid_client_metadata", sentence)
    return None


def _problem_of_grants(words: Mapping[str, Any]) -> Refusal | None:
    grants, responses = words.get("grant_types", list(GRANT_TYPES)), words.get("response_types", ["code"])
    known = isinstance(grants, list) and all(grant in GRANT_TYPES for grant in grants)
    if not known or "authorization_code" not in grants:
        sentence = f"grant_types must include authorization_code, and can only be of {_listed(GRANT_TYPES)}"
        return Refusal("invalid_client_metadata", sentence)
    return None if responses == ["code"] else Refusal("invalid_client_metadata", "response_types can only be code")


def _client(words: Mapping[str, Any], client_id: str, method: Any, secret: str | None) -> Client:  # noqa: ANN401 - looked at before
    refreshes = "refresh_token" in words.get("grant_types", list(GRANT_TYPES))
    addresses = tuple(words["redirect_uris"])
    return Client(client_id, words.get("client_name", "").strip(), addresses, refreshes, method, secret)


def _listed(words: tuple[str, ...]) -> str:
    return ", ".join(words)
