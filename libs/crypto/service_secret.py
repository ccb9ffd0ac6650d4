"""The secret of one service, derived from the secret of the installation: who holds one cannot tell any other."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from libs.contracts.errors import Rejected

SECRET_BYTES: Final = 32
"""Bytes. As many as SHA-256 gives, which both signs tokens and makes the password of the service's role."""

_OPEN_TO_ALL: Final = 0o007
"""Mode bits of those who are neither the file's owner nor of its group."""


def service_secret(master: bytes, service: str) -> bytes:
    """The secret of a service. `master` is the installation's: 32 bytes of chance. Source: RFC 5869."""
    return HKDF(SHA256(), SECRET_BYTES, salt=None, info=f"well/service/{service}".encode()).derive(master)


def read_service_secret(path: Path) -> bytes:
    """The secret in a file.

    Its group may read it: that is how an orchestrator shows a secret to a process that is not root.

    Raises:
        Rejected: `secret_file` when there is none, it has another length, or everybody may read it.
    """
    if not path.is_file():
        raise Rejected(f"There is no secret file {path}; write it with: well secrets", code="secret_file")
    if path.stat().st_mode & _OPEN_TO_ALL:
        raise Rejected(f"Everybody can read the secret file {path}; run: chmod 600 {path}", code="secret_file")
    secret = path.read_bytes()
    if len(secret) != SECRET_BYTES:
        sentence = f"The secret file {path} holds {len(secret)} bytes instead of {SECRET_BYTES}."
        raise Rejected(sentence, code="secret_file")
    return secret
