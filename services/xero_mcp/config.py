"""What may be set about xero_mcp."""

from __future__ import annotations

from dataclasses import dataclass, field

from services.xero_mcp.domain.budget import Limits


@dataclass(frozen=True)
class XeroMcpSettings:
    """xero_mcp's settings.

    Attributes:
        url: Where clients reach it, without a slash at its end: the issuer of its tokens. https, or the loopback.
        limits: Xero's budget for one organisation.
        wait_seconds: How long a call waits for its turn before it is told to come back. Shorter than the 60 s after
            which common MCP clients give up a call.
        attachment_max_bytes: Larger files are refused unread. Qonto takes no file above 10 MB.
        believed_seconds: How long a verified access token is believed without a look at its row; a revoked one may live
            that much longer.
        documents_from_loopback: Whether programs may keep their document on this machine, which is for those who write
            one; else only what lies in the public internet is read.
    """

    url: str
    limits: Limits = field(default_factory=Limits)
    wait_seconds: float = 30.0
    attachment_max_bytes: int = 10_485_760
    believed_seconds: float = 5.0
    documents_from_loopback: bool = False

    @property
    def resource(self) -> str:
        """What tokens are for (RFC 8707)."""
        return f"{self.url}/mcp"
