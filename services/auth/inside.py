"""Auth as other services and readers of other teams ask it, in one process or over HTTP."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol
from uuid import UUID

from libs.contracts.consented import Consented
from libs.contracts.identity import KeyPurpose, Provider
from libs.crypto.lent import LentToken
from libs.crypto.seal import WorkspaceKeys
from services.auth.domain.connection import ConnectionState


class Inside(Protocol):
    """Auth, as this process has it."""

    async def lend(self, borrower: str, workspace: UUID, provider: Provider) -> LentToken:
        """A token for one call."""
        ...

    async def refused(self, workspace: UUID, provider: Provider, secret: str) -> None:
        """A borrower saw 401 with this token."""
        ...

    async def forbidden(self, workspace: UUID, provider: Provider) -> None:
        """A borrower saw 403 with a good token."""
        ...

    async def workspaces(self) -> Sequence[UUID]:
        """Every workspace that has had a connection."""
        ...

    async def connected(self, provider: Provider) -> Sequence[UUID]:
        """The workspaces whose connection to a provider works, or is tried again."""
        ...

    async def erased(self) -> Sequence[UUID]:
        """The workspaces of which services delete what they keep."""
        ...

    async def connection_state(self, workspace: UUID, provider: Provider) -> ConnectionState:
        """How a connection stands."""
        ...

    async def keys(self, workspace: UUID, purpose: KeyPurpose) -> WorkspaceKeys:
        """All keys of a workspace for one purpose."""
        ...

    async def ask_consent(
        self, *, client_name: str, redirect_host: str, scopes: tuple[str, ...], return_to: str, document_host: str = ""
    ) -> str:
        """The page where a person answers for an MCP client."""
        ...

    async def redeem_consent(self, grant: str, *, return_to: str) -> Consented:
        """What an answer opens."""
        ...

    async def consent_stands(self, consented: Consented) -> bool:
        """Whether a program may still read."""
        ...

    async def end_consent(self, consented: Consented) -> None:
        """A program wants to read no more."""
        ...

    async def visitor(self, session: str) -> UUID:
        """The workspace that a browser's session opens."""
        ...


class Served(Inside, Protocol):
    """The same, and what readers of other teams get."""

    async def opening_keys(self, grant: str) -> WorkspaceKeys:
        """The keys of the workspace that a grant is for."""
        ...
