"""What may be set about auth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal
from uuid import UUID


@dataclass(frozen=True)
class AuthSettings:
    """Auth's settings.

    Attributes:
        public_url: Where browsers reach auth, without a slash at its end. For Xero it must be https or
            `http://localhost:PORT`: Xero refuses `http://127.0.0.1`.
        home_url: Where the pages lead back to: the console.
        sign_in: `ticket` wants a session, made by a one-time link. `open` lets any browser act for `open_workspace`:
            for the demo on one machine only.
        open_workspace: Whose visits those are.
        connect_xero_url: Where a person connects Xero from nothing: at ingest, which reads it as a program of its own.
            None when auth does not know; its own `/connect/xero` only renews what ingest was once allowed.
        mcp_consent: `page` asks a person about each MCP client. `auto` allows every one: for the demo only.
    """

    public_url: str
    home_url: str
    sign_in: Literal["ticket", "open"] = "ticket"
    open_workspace: UUID | None = None
    mcp_consent: Literal["page", "auto"] = "page"
    connect_xero_url: str | None = None

    def __post_init__(self) -> None:
        if self.sign_in == "open" and self.open_workspace is None:
            raise ValueError("sign_in=open needs a workspace to act for")
        if self.mcp_consent == "auto" and self.sign_in != "open":
            raise ValueError("mcp_consent=auto is for the demo, where sign_in is open")
