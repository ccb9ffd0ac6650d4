"""The transit engine of Vault over HTTP, as far as keys of our kind use it: a real server with real encryption.

Source of what it does: https://developer.hashicorp.com/vault/api-docs/secret/transit; of its errors' words Vault's own
`sdk/helper/keysutil/policy.go`.
"""

from __future__ import annotations

import base64
import binascii
import json
import os
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from aiohttp import web
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from libs.runtime.listen import bound_socket, port_of
from libs.runtime.serving import serving

TOKEN: Final = "hvs.a-token-of-this-test"  # noqa: S105 the stand-in's own

_NO_CONTEXT: Final = (
    "missing 'context' for key derivation; the key was created using a derived key, which means additional, "
    "per-request information must be included in order to perform operations with the key"
)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Refused(Exception):
    """An answer with `errors`, as Vault gives it."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status


@dataclass
class NamedKey:
    """A key of the engine: its versions, from 1, of which the last wraps."""

    derived: bool
    versions: list[bytes] = field(default_factory=lambda: [os.urandom(32)])
    min_decryption_version: int = 1

    def cipher(self, version: int, context: bytes | None) -> AESGCM:
        """Of a version; of a derived key by the context, of any other whatever the context."""
        if not 1 <= version <= len(self.versions):
            raise Refused(400, "invalid ciphertext: version is too new")
        if version < self.min_decryption_version:
            raise Refused(400, "ciphertext or signature version is disallowed by policy (too old)")
        key = self.versions[version - 1]
        if not self.derived:
            return AESGCM(key)
        if not context:
            raise Refused(400, _NO_CONTEXT)
        return AESGCM(HKDF(SHA256(), 32, salt=None, info=context).derive(key))

    def encrypt(self, plaintext: bytes, context: bytes | None, associated: bytes | None = None) -> str:
        """`vault:v<version>:<base64 of nonce and ciphertext>`, with the newest version."""
        version, nonce = len(self.versions), os.urandom(12)
        sealed = nonce + self.cipher(version, context).encrypt(nonce, plaintext, associated)
        return f"vault:v{version}:{base64.b64encode(sealed).decode()}"

    def decrypt(self, ciphertext: str, context: bytes | None, associated: bytes | None = None) -> bytes:
        """The plaintext again."""
        found = re.fullmatch(r"vault:v([0-9]+):(.+)", ciphertext, re.DOTALL)
        if found is None:
            raise Refused(400, "invalid ciphertext: no prefix")
        sealed = _decoded(found[2], "ciphertext")
        try:
            return self.cipher(int(found[1]), context).decrypt(sealed[:12], sealed[12:], associated)
        except (InvalidTag, ValueError):
            raise Refused(400, "cipher: message authentication failed") from None


@dataclass
class Vault:
    """The engine.

    Attributes:
        url: Where it listens.
        keys: By name.
        calls: What was asked, in order: `encrypt`, `decrypt`, `rewrap`, `rotate`, `read`.
        sealed: While it is, nothing is answered but 503.
        instead: What something else at its address answers, with 200.
        allowed: The calls that the token's policy lets through.
    """

    url: str
    keys: dict[str, NamedKey] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    sealed: bool = False
    instead: str | None = None
    allowed: set[str] = field(default_factory=lambda: {"encrypt", "decrypt", "rewrap", "rotate", "read"})

    def app(self) -> web.Application:
        """Its HTTP interface."""
        app = web.Application(middlewares=[self._as_vault_answers])
        app.router.add_get("/v1/{mount}/keys/{name}", self._read)
        app.router.add_post("/v1/{mount}/keys/{name}/rotate", self._rotate)
        for call in (self._encrypt, self._decrypt, self._rewrap):
            app.router.add_post(f"/v1/{{mount}}/{call.__name__.strip('_')}/{{name}}", call)
        return app

    async def _read(self, request: web.Request) -> web.Response:
        key = self._key(request, "read", 404, "")
        return _said(
            {
                "name": request.match_info["name"],
                "type": "aes256-gcm96",
                "derived": key.derived,
                "latest_version": len(key.versions),
                "min_decryption_version": key.min_decryption_version,
            }
        )

    async def _rotate(self, request: web.Request) -> web.Response:
        key = self._key(request, "rotate", 400, "key not found")
        key.versions.append(os.urandom(32))
        return _said({"latest_version": len(key.versions)})

    async def _encrypt(self, request: web.Request) -> web.Response:
        key, words = self._key(request, "encrypt", 400, "encryption key not found"), await request.json()
        plaintext = _decoded(words["plaintext"], "plaintext")
        return _said({"ciphertext": key.encrypt(plaintext, _optional(words, "context"), _optional(words, _AAD))})

    async def _decrypt(self, request: web.Request) -> web.Response:
        key, words = self._key(request, "decrypt", 400, "encryption key not found"), await request.json()
        plaintext = key.decrypt(words["ciphertext"], _optional(words, "context"), _optional(words, _AAD))
        return _said({"plaintext": base64.b64encode(plaintext).decode()})

    async def _rewrap(self, request: web.Request) -> web.Response:
        """Takes no associated data. Source: https://github.com/hashicorp/vault/issues/29532."""
        key, words = self._key(request, "rewrap", 400, "encryption key not found"), await request.json()
        context = _optional(words, "context")
        return _said({"ciphertext": key.encrypt(key.decrypt(words["ciphertext"], context), context)})

    def _key(self, request: web.Request, call: str, status: int, sentence: str) -> NamedKey:
        self.calls.append(call)
        if call not in self.allowed:
            raise Refused(403, "1 error occurred:\n\t* permission denied\n\n")
        key = self.keys.get(request.match_info["name"]) if request.match_info["mount"] == "transit" else None
        if key is None:
            raise Refused(status, sentence)
        return key

    def _refuse_strangers(self, request: web.Request) -> None:
        if self.sealed:
            raise Refused(503, "Vault is sealed")
        if request.headers.get("X-Vault-Token") != TOKEN:
            raise Refused(403, "permission denied")

    @web.middleware
    async def _as_vault_answers(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if self.instead is not None:
            return web.Response(text=self.instead)
        try:
            self._refuse_strangers(request)
            return await handler(request)
        except Refused as refused:
            errors = [str(refused)] if str(refused) else []
            return web.json_response({"errors": errors}, status=refused.status)


_AAD: Final = "associated_data"


def _said(found: dict[str, Any]) -> web.Response:
    return web.Response(text=json.dumps({"request_id": "r", "data": found}), content_type="application/json")


def _optional(words: dict[str, str], name: str) -> bytes | None:
    return _decoded(words[name], name) if words.get(name) else None


def _decoded(text: str, what: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        raise Refused(400, f"failed to base64-decode {what}") from None


@asynccontextmanager
async def running_vault() -> AsyncIterator[Vault]:
    """Vault, unsealed, with the derived key `well`."""
    bound = bound_socket()
    vault = Vault(f"http://127.0.0.1:{port_of(bound)}", {"well": NamedKey(derived=True)})
    async with serving(vault.app(), bound):
        yield vault
