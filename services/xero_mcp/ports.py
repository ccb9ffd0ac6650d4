"""What xero_mcp needs: its rows, tokens lent by auth, and the consent of a person."""

from __future__ import annotations

from datetime import datetime
from typing import Literal, Protocol
from uuid import UUID

from libs.contracts.consented import Consented
from libs.crypto.lent import LentToken
from libs.database.port import Transaction
from services.xero_mcp.domain.token import Token, TokenKind


class TokenLender(Protocol):
    """Auth, as a borrower sees it."""

    async def lend(self, borrower: str, workspace: UUID, provider: Literal["xero"]) -> LentToken:
        """A token for one call.

        Raises:
            ConsentLost: There is no consent, or the provider no longer honours it.
            Transient: No token can be had right now.
        """
        ...

    async def refused(self, workspace: UUID, provider: Literal["xero"], secret: str) -> None:
        """Xero refused this token.

        Raises:
            ConsentLost: There will be no other one.
            Transient: No other one can be had right now.
        """
        ...

    async def forbidden(self, workspace: UUID, provider: Literal["xero"]) -> None:
        """Xero refused the organisation to a good token. Nothing happens when the consent still opens it.

        Raises:
            ConsentLost: It does not: the organisation was disconnected at Xero.
            Transient: That cannot be told right now.
        """
        ...


class Consents(Protocol):
    """Auth, as the one who asks a person."""

    async def ask_consent(
        self, *, client_name: str, redirect_host: str, document_host: str, scopes: tuple[str, ...], return_to: str
    ) -> str:
        """The page where a person answers for this client. It returns to `return_to` with `grant` or `error`.

        Args:
            client_name: In the client's own words.
            redirect_host: Where the answer goes.
            document_host: The host that keeps the client's document; empty for one that registered itself.
            scopes: What it may do.
            return_to: Our own address, with its query.

        Raises:
            Rejected: Auth does not take it.
        """
        ...

    async def redeem_consent(self, grant: str, *, return_to: str) -> Consented:
        """What the answer opens; good once, and for this return address only.

        Raises:
            Rejected: The grant is not good, or too many programs may read already.
        """
        ...

    async def consent_stands(self, consented: Consented) -> bool:
        """Whether the person has not taken it back.

        Raises:
            Transient: That cannot be told right now.
        """
        ...

    async def end_consent(self, consented: Consented) -> None:
        """The program gives it back, or its tokens were stolen; what has ended already stays so.

        Raises:
            Transient: That cannot be told right now, and it may stand.
        """
        ...


class ClientDocuments(Protocol):
    """Documents in which programs that never registered say who they are."""

    async def read(self, address: str) -> object:
        """What the JSON at an address says.

        Raises:
            Rejected: `client_document` when there is none that may be read: it leads into a private network, is too
                large, or is no JSON.
            Transient: It could not be read just now.
        """
        ...


class ClientStore(Protocol):
    """The programs that registered, in the workspace of the installation. Their metadata are sealed at rest."""

    async def add_client(self, tx: Transaction, client: str, metadata: bytes, *, now: datetime) -> None:
        """Add one."""
        ...

    async def client(self, tx: Transaction, client: str) -> bytes | None:
        """Its metadata."""
        ...

    async def count_clients(self, tx: Transaction, *, made_after: datetime | None = None) -> int:
        """How many there are, or were made after an instant."""
        ...

    async def sweep_clients(self, tx: Transaction, *, unused_before: datetime, idle_before: datetime) -> None:
        """Drop those that were made before `unused_before` and never used, or last used before `idle_before`."""
        ...

    async def mark_used(self, tx: Transaction, client: str, now: datetime) -> None:
        """It got tokens. Within a day of the last time nothing is written."""
        ...


class TokenStore(Protocol):
    """The tokens of a workspace. Expired ones are never found."""

    async def add_tokens(self, tx: Transaction, tokens: list[Token], *, now: datetime) -> None:
        """Add tokens and drop expired ones."""
        ...

    async def token(
        self, tx: Transaction, kind: TokenKind, sha256: bytes, *, now: datetime, hold: bool = False
    ) -> Token | None:
        """A token; with `hold`, nobody else holds or changes it until the transaction ends."""
        ...

    async def spend(self, tx: Transaction, sha256: bytes, *, now: datetime, kept_until: datetime) -> None:
        """Mark a token as used, and let it be forgotten at `kept_until` at the latest."""
        ...

    async def hold_children(self, tx: Transaction, parent: bytes) -> bool:
        """Whether any token that this one bought was used; nobody else changes them until the transaction ends."""
        ...

    async def drop_children(self, tx: Transaction, parent: bytes) -> None:
        """Drop what this token bought."""
        ...

    async def end_family(self, tx: Transaction, family: UUID) -> None:
        """Drop every token of a consent, and what is bought with one meanwhile."""
        ...

    async def drop_oldest(self, tx: Transaction, kind: TokenKind, *, keep: int) -> None:
        """Drop those of a kind that end first, until `keep` are left."""
        ...

    async def count(self, tx: Transaction, kind: TokenKind, *, now: datetime) -> int:
        """How many tokens of a kind are good."""
        ...


class XeroMcpStore(ClientStore, TokenStore, Protocol):
    """Everything xero_mcp keeps."""
