"""Vault's transit engine as the key provider: the key-encryption key never leaves it.

The key there is a derived one, and the place of a data key is the context that it is derived by: that binds what is
wrapped to its place, and unlike associated data it goes through `rewrap`.

Source: https://developer.hashicorp.com/vault/api-docs/secret/transit (encrypt, decrypt, rewrap, rotate, read key). That
`rewrap` takes no associated data: https://github.com/hashicorp/vault/issues/29532 and issues/31791.
"""

from __future__ import annotations

import asyncio
import base64
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

import hvac
import requests
from hvac import exceptions

from libs.contracts.errors import Malformed, Rejected, Transient
from libs.crypto.key_provider import KeyPlace, KeyProvider

CALL_SECONDS: Final = 10
"""Seconds for one call. Vault answers in milliseconds; a change of its leader takes a few seconds."""

_WRAPPED: Final = re.compile(rb"vault:v([0-9]{1,9}):.+", re.DOTALL)

_TOKEN: Final = re.compile(rb"[!-~]+")

_NO_VAULT: Final = "Something at Vault's address gives answers that are none of Vault's."

_AWAY: Final = (
    exceptions.VaultDown,  # 503: sealed, or in maintenance
    exceptions.InternalServerError,
    exceptions.BadGateway,
    exceptions.RateLimitExceeded,
    exceptions.VaultNotInitialized,
    requests.RequestException,
)

Answer = TypeVar("Answer")
Word = TypeVar("Word", str, bool)


@dataclass(frozen=True)
class VaultAt:
    """Where the key-encryption key is.

    Attributes:
        url: Vault's address.
        key: The name of the key in the transit engine.
        token_file: Holds the token to show, as Vault's agent writes and renews it; read at each call.
        mount: Where the engine is mounted.
    """

    url: str
    key: str
    token_file: Path
    mount: str = "transit"


class VaultKeyProvider:
    """Wraps with the newest version of a key in Vault.

    Args:
        vault: Where it is.
        before: What opens keys that were wrapped before Vault was taken into use; `rewrap` moves them into it.
    """

    def __init__(self, vault: VaultAt, before: KeyProvider) -> None:
        self._vault = vault
        self._before = before
        self._is_derived = False

    async def wrap(self, place: KeyPlace, secret: bytes) -> bytes:
        """Encrypt a data key for storage, with the newest version of the key, bound to its place.

        Raises:
            Rejected: `vault_refused`; `vault_key` when the key there would bind nothing.
            Transient: Vault does not answer, or is sealed.
        """
        await self._refuse_underived()
        plaintext = base64.b64encode(secret).decode()
        answer = await self._ask(
            lambda client: client.secrets.transit.encrypt_data(
                self._vault.key, plaintext=plaintext, context=_context(place), mount_point=self._vault.mount
            )
        )
        return _said(answer, "ciphertext", str).encode()

    async def unwrap(self, place: KeyPlace, wrapped: bytes) -> bytes:
        """The data key again.

        Raises:
            Malformed: `wrong_key_encryption_key`.
            Rejected: `vault_refused`.
            Transient: Vault does not answer, or is sealed.
        """
        if not _WRAPPED.fullmatch(wrapped):
            return await self._before.unwrap(place, wrapped)
        answer = await self._ask_about(
            lambda client: client.secrets.transit.decrypt_data(
                self._vault.key, wrapped.decode(), context=_context(place), mount_point=self._vault.mount
            )
        )
        try:
            return base64.b64decode(_said(answer, "plaintext", str), validate=True)
        except ValueError:
            raise Transient(_NO_VAULT) from None

    async def rewrap(self, place: KeyPlace, wrapped: bytes) -> bytes:
        """The same data key under the newest version; the very same bytes when they are under it already.

        The data key does not leave Vault, unless it was wrapped before Vault was taken into use.

        Raises:
            Malformed: `wrong_key_encryption_key`.
            Rejected: `vault_refused`; `vault_key`.
            Transient: Vault does not answer, or is sealed.
        """
        if not _WRAPPED.fullmatch(wrapped):
            return await self.wrap(place, await self._before.unwrap(place, wrapped))
        answer = await self._ask_about(
            lambda client: client.secrets.transit.rewrap_data(
                self._vault.key, wrapped.decode(), context=_context(place), mount_point=self._vault.mount
            )
        )
        rewrapped = _said(answer, "ciphertext", str).encode()
        return wrapped if _version(rewrapped) == _version(wrapped) else rewrapped

    async def rotate(self) -> None:
        """Make a new version of the key.

        Raises:
            Rejected: `vault_refused`; `vault_key`.
            Transient: Vault does not answer, or is sealed.
        """
        await self._refuse_underived()
        await self._ask(
            lambda client: client.secrets.transit.rotate_key(self._vault.key, mount_point=self._vault.mount)
        )

    async def _refuse_underived(self) -> None:
        """A key that is not derived ignores the context, and would open what it wrapped at any place."""
        if self._is_derived:
            return
        answer = await self._ask(
            lambda client: client.secrets.transit.read_key(self._vault.key, mount_point=self._vault.mount)
        )
        if not _said(answer, "derived", bool):
            sentence = (
                f"The key {self._vault.key} in Vault is not a derived one. Make another: "
                f"vault write -f {self._vault.mount}/keys/NAME derived=true"
            )
            raise Rejected(sentence, code="vault_key")
        self._is_derived = True

    async def _ask_about(self, call: Callable[[hvac.Client], Any]) -> Any:  # noqa: ANN401 hvac has no types
        """An answer about a wrapped key; what Vault calls invalid is the key's fault."""
        try:
            return await self._ask(call)
        except Rejected as refused:
            if not isinstance(refused.__cause__, exceptions.InvalidRequest):
                raise
        sentence = "A workspace key does not open with the key that Vault holds."
        raise Malformed(sentence, code="wrong_key_encryption_key")

    async def _ask(self, call: Callable[[hvac.Client], Answer]) -> Answer:
        try:
            return await asyncio.to_thread(self._called, call)
        except _AWAY as error:
            raise Transient(f"Vault does not answer, or is sealed ({type(error).__name__}).") from error
        except exceptions.VaultError as error:  # its text may repeat what was sent
            sentence = (
                f"Vault refuses ({type(error).__name__}): look at the token in {self._vault.token_file}, its policy "
                f"for {self._vault.mount}/ and the key {self._vault.key}."
            )
            raise Rejected(sentence, code="vault_refused") from error

    def _called(self, call: Callable[[hvac.Client], Answer]) -> Answer:
        """One call with a client of its own: the token may be new, and a session is for one thread."""
        try:
            token = self._vault.token_file.read_bytes().strip()
        except OSError as error:
            sentence = f"Vault's token cannot be read from {self._vault.token_file} ({error.strerror})."
            raise Rejected(sentence, code="vault_refused") from error
        if not _TOKEN.fullmatch(token):
            raise Rejected(f"The file {self._vault.token_file} holds no token of Vault's.", code="vault_refused")
        client = hvac.Client(url=self._vault.url, token=token.decode(), timeout=CALL_SECONDS)
        try:
            return call(client)
        finally:
            client.adapter.close()


def _said(answer: Any, word: str, form: type[Word]) -> Word:  # noqa: ANN401 hvac has no types
    """A word of an answer.

    Raises:
        Transient: It has none: a proxy answered, or a page.
    """
    found = answer.get("data") if isinstance(answer, dict) else None
    said = found.get(word) if isinstance(found, dict) else None
    if not isinstance(said, form):
        raise Transient(_NO_VAULT)
    return said


def _context(place: KeyPlace) -> str:
    return base64.b64encode(place.bound).decode()


def _version(wrapped: bytes) -> bytes | None:
    found = _WRAPPED.fullmatch(wrapped)
    return found[1] if found else None
