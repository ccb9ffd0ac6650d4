"""What one service of an installation shows another to say who it is. Pure.

```
<service>.<workspace>.<expires, seconds since 1970>.<nonce>.<HMAC-SHA256 in hexadecimal>
```

The signature is over all that stands before it, under the secret of that service, so a token proves its service and
that it speaks of this one workspace, or of none (`-`): what the service may do, the other side keeps in a table of its
own. Whoever copies a token can ask about one workspace, for a minute.
"""

from __future__ import annotations

import hmac
import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from uuid import UUID

LIFE_SECONDS: Final = 60
"""Seconds a token is good. One is made for each call and a call ends within 30, so that a copied one is soon worth
nothing; much less would refuse callers whose clock is a little off."""

LONGEST_CHARACTERS: Final = 256
"""Characters of a text that is read as a token at all; a real one has about 160."""

_NONE: Final = "-"

_FORM: Final = re.compile(r"([a-z_]{1,32})\.([0-9a-f]{32}|-)\.([0-9]{1,12})\.([A-Za-z0-9_-]{16,64})\.([0-9a-f]{64})")


@dataclass(frozen=True)
class ServiceToken:
    """A token as somebody shows it. It proves nothing until its signature was compared.

    Attributes:
        service: Who it says it is.
        workspace: Which workspace it speaks of; None of none in particular.
        expires: Seconds since 1970 at which it ends.
        nonce: Chance, so that no two tokens are the same.
        signature: What it is proved by.
    """

    service: str
    workspace: UUID | None
    expires: int
    nonce: str
    signature: str = field(repr=False)


def minted(service: str, workspace: UUID | None, *, secret: bytes, now: datetime, nonce: str) -> str:
    """A token of a service, good for `LIFE_SECONDS` from `now`. `nonce` is 16 to 64 characters of the URL alphabet."""
    expires = int(now.timestamp()) + LIFE_SECONDS
    said = _said(service, workspace, expires, nonce)
    return f"{said}.{_signature(said, secret)}"


def parsed(text: str) -> ServiceToken | None:
    """A token as it was shown; None when it cannot be one."""
    found = _FORM.fullmatch(text) if len(text) <= LONGEST_CHARACTERS else None
    if found is None:
        return None
    workspace = None if found[2] == _NONE else UUID(found[2])
    return ServiceToken(found[1], workspace, int(found[3]), found[4], found[5])


def is_signed(token: ServiceToken, *, secret: bytes) -> bool:
    """Whether a token was signed with a service's secret."""
    said = _said(token.service, token.workspace, token.expires, token.nonce)
    return hmac.compare_digest(_signature(said, secret), token.signature)


def _said(service: str, workspace: UUID | None, expires: int, nonce: str) -> str:
    return f"{service}.{_NONE if workspace is None else workspace.hex}.{expires}.{nonce}"


def _signature(said: str, secret: bytes) -> str:
    return hmac.digest(secret, f"service-token/{said}".encode(), "sha256").hex()
