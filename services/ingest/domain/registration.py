"""Who we are at an authorization server, where a person arranged it. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class RegisteredByHand:
    """How a person registered us at an authorization server. What that issuer gave is shown to no other.

    Attributes:
        issuer: The server's own name for itself, as its metadata say it.
        client_id: Who we are there.
        client_secret: What proves it; None for a public client.
    """

    issuer: str
    client_id: str
    client_secret: str | None = field(default=None, repr=False)
