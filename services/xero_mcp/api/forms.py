"""What an OAuth request carries, read strictly: each word once, of a sane size, in UTF-8."""

from __future__ import annotations

import base64
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import parse_qsl, unquote_plus

import orjson
from starlette.requests import ClientDisconnect, Request

from libs.contracts.errors import Rejected
from services.xero_mcp.domain.registration import METADATA_MAX_BYTES, Client
from services.xero_mcp.flow.clients import Clients

FORM_MAX_BYTES: Final = 16_384
"""Bytes of a form, or of a query. The longest real one has a code, a verifier and three addresses: under 2 KB."""

WORD_MAX_CHARACTERS: Final = 2048
"""Characters of one word. Some programs pack their own memory into `state`; none of them fills this."""

FIELDS_MAX: Final = 32
"""Words of one request. The richest has nine."""

_FORM_TYPE: Final = "application/x-www-form-urlencoded"


@dataclass(frozen=True)
class Words:
    """The words of a request. One without a value counts as left out (RFC 6749, section 3.1).

    Attributes:
        once: Words that may stand once.
        resources: `resource`, which alone may stand several times (RFC 8707, section 2).
        repeated: The words that stood more than once, and may not; they are in `once` no longer.
    """

    once: Mapping[str, str] = field(repr=False)
    resources: tuple[str, ...]
    repeated: frozenset[str]

    def get(self, name: str) -> str | None:
        """A word, or None when it was left out."""
        return self.once.get(name)

    def needed(self, name: str) -> str:
        """A word that must be there.

        Raises:
            Rejected: `invalid_request`.
        """
        word = self.once.get(name)
        if word is None:
            raise Rejected(f"{name} is needed", code="invalid_request")
        return word

    def check_once(self) -> None:
        """See that no word stood twice.

        Raises:
            Rejected: `invalid_request`.
        """
        if self.repeated:
            raise Rejected(f"{min(self.repeated)} stands more than once", code="invalid_request")


async def words_of(request: Request) -> Words:
    """The words of a query, or of a form that was posted.

    Raises:
        Rejected: `invalid_request` when they cannot be read.
    """
    if request.method != "POST":
        return _parsed(request.scope["query_string"])
    if request.headers.get("Content-Type", "").partition(";")[0].strip().lower() != _FORM_TYPE:
        raise Rejected(f"the body must be {_FORM_TYPE}", code="invalid_request")
    body = await _body(request, FORM_MAX_BYTES)
    if body is None:
        raise Rejected(f"the form has more than {FORM_MAX_BYTES} bytes", code="invalid_request")
    return _parsed(body)


async def metadata_words(request: Request) -> dict[str, Any]:
    """The JSON of a registration.

    Raises:
        Rejected: `invalid_client_metadata` when there is no such object, or it is too large.
    """
    body = await _body(request, METADATA_MAX_BYTES)
    if body is None:
        raise Rejected(f"a registration has at most {METADATA_MAX_BYTES} bytes", code="invalid_client_metadata")
    try:
        words = orjson.loads(body)
    except orjson.JSONDecodeError:
        words = None
    if not isinstance(words, dict):
        raise Rejected("a registration is a JSON object", code="invalid_client_metadata")
    return words


async def client_of(request: Request, words: Words, clients: Clients) -> Client:
    """The client that came for tokens, and proved who it is (RFC 6749, section 2.3).

    Raises:
        Rejected: `invalid_client`, or `invalid_request` when it proves itself twice.
    """
    named, secret = words.get("client_id"), words.get("client_secret")
    header = request.headers.get("Authorization")
    if header is not None:
        if secret is not None:
            raise Rejected("a client proves itself in one way, and not in two", code="invalid_request")
        in_header, secret = _basic(header)
        if named not in {None, in_header}:
            raise _unknown()
        named = in_header
    client = None if named is None else await clients.coming_for_tokens(named)
    if client is None or not hmac.compare_digest((client.secret or "").encode(), (secret or "").encode()):
        raise _unknown()
    return client


def _basic(header: str) -> tuple[str, str | None]:
    scheme, _, pair = header.partition(" ")
    try:
        named, colon, secret = base64.b64decode(pair.strip(), validate=True).decode().partition(":")
    except ValueError:  # no base64, or no UTF-8 inside
        raise _unknown() from None
    if scheme.lower() != "basic" or not colon:
        raise _unknown()
    return unquote_plus(named), unquote_plus(secret) or None


def _unknown() -> Rejected:
    return Rejected("the client is not known here, or did not prove who it is", code="invalid_client")


def _parsed(written: bytes) -> Words:
    if len(written) > FORM_MAX_BYTES:
        raise Rejected(f"the request has more than {FORM_MAX_BYTES} bytes", code="invalid_request")
    try:
        pairs = parse_qsl(written.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=FIELDS_MAX)
    except ValueError:
        raise Rejected("the words of the request cannot be read", code="invalid_request") from None
    once: dict[str, str] = {}
    repeated: set[str] = set()
    resources: list[str] = []
    for name, word in pairs:
        if len(word) > WORD_MAX_CHARACTERS:
            raise Rejected(f"a word has more than {WORD_MAX_CHARACTERS} characters", code="invalid_request")
        if name == "resource":
            resources.append(word)
        elif name in once:
            repeated.add(name)
        else:
            once[name] = word
    kept = {name: word for name, word in once.items() if word and name not in repeated}
    return Words(kept, tuple(resources), frozenset(repeated))


async def _body(request: Request, limit: int) -> bytes | None:
    """The body, or None when it has more bytes than that; what is too long is not read to its end."""
    body = b""
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > limit:
                return None
    except ClientDisconnect:
        raise Rejected("the request broke off", code="invalid_request") from None  # nobody is there to read it
    return body
