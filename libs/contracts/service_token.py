"""What one service of an installation shows another to say who it is. Pure.

```
<service>.<expires, seconds since 1970>.<nonce>.<HMAC-SHA256 in hexadecimal>
```

The signature is over all that stands before it, under the secret of that service, so a token proves its service and
nothing else: what the service may do, the other side keeps in a table of its own.
"""

from __future__ import annotations

import hmac
import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

LIFE_SECONDS: Final = 60
"""Seconds a token is good. One is made for each call and a call ends within 30, so that a copied one is soon worth
nothing; much less would refuse callers whose clock is a little off."""

LONGEST_CHARACTERS: Final = 256
"""Characters of a text that is read as a token at all; a real one has about 130."""

_FORM: Final = re.compile(r"([a-z_]{1,32})\.([0-9]{1,12})\.([A-Za-z0-9_-]{16,64})\.([0-9a-f]{64})")


@dataclass(frozen=True)
class ServiceToken:
    """A token as somebody shows it. It proves nothing until its signature was compared.

    Attributes:
        service: Who it says it is.
        expires: Seconds since 1970 at which it ends.
        nonce: Chance, so that no two tokens are the same.
        signature: What it is proved by.
    """

    service: str
    expires: int
    nonce: str
    signature: str = field(repr=False)


def minted(service: str, *, secret: bytes, now: datetime, nonce: str) -> str:
    """A token of a service, good for `LIFE_SECONDS` from `now`. `nonce` is 16 to 64 characters of the URL alphabet."""
    expires = int(now.timestamp()) + LIFE_SECONDS
    return f"{service}.{expires}.{nonce}.{signature_of(service, expires, nonce, secret=secret)}"


def parsed(text: str) -> ServiceToken | None:
    """A token as it was shown; None when it cannot be one."""
    found = _FORM.fullmatch(text) if len(text) <= LONGEST_CHARACTERS else None
    return ServiceToken(found[1], int(found[2]), found[3], found[4]) if found else None


def signature_of(service: str, expires: int, nonce: str, *, secret: bytes) -> str:
    """The signature that a token of this service, end and nonce has."""
    return hmac.digest(secret, f"service-token/{service}.{expires}.{nonce}".encode(), "sha256").hex()
