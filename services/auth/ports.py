"""What auth needs: where its rows are, and the providers whose consents it holds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from libs.contracts.identity import Provider
from libs.database.port import Transaction
from services.auth.domain.connection import Account, Connection, TokenPair
from services.auth.domain.program import Program
from services.auth.domain.ticket import Ticket, TicketPurpose
from services.auth.domain.wrapped_key import WrappedKey


class KeyStore(Protocol):
    """The wrapped keys of a workspace."""

    async def know(self, tx: Transaction, region: str, now: datetime) -> None:
        """Put the workspace on the list, unless it stands there."""
        ...

    async def known_workspaces(self, tx: Transaction) -> list[UUID]:
        """Every workspace on the list that was not erased, whichever one the transaction is of."""
        ...

    async def erased_workspaces(self, tx: Transaction, *, before: datetime) -> list[UUID]:
        """Every workspace that was erased before an instant, whichever one the transaction is of."""
        ...

    async def is_erased(self, tx: Transaction, *, hold: bool = False) -> bool:
        """Whether the workspace was erased; with `hold`, nobody erases it until the transaction ends."""
        ...

    async def keys(self, tx: Transaction) -> list[WrappedKey]:
        """All its keys."""
        ...

    async def add_keys(self, tx: Transaction, keys: Sequence[WrappedKey]) -> int:
        """Add keys, and tell how many: a generation that is there already is left alone."""
        ...

    async def rewrap_key(self, tx: Transaction, key: WrappedKey, wrapped: bytes) -> bool:
        """Keep other bytes for a key; False, and nothing changed, when those that `key` has are not kept any more."""
        ...

    async def erase(self, tx: Transaction, now: datetime) -> None:
        """Mark the workspace erased, and delete its keys, connections, tickets and programs."""
        ...


class ConnectionStore(Protocol):
    """The connections of a workspace, at most one a provider. Tokens and names are sealed at rest."""

    async def connection(self, tx: Transaction, provider: Provider, *, hold: bool = False) -> Connection | None:
        """The connection; with `hold`, nobody else holds or changes it until the transaction ends."""
        ...

    async def put_connection(self, tx: Transaction, connection: Connection) -> None:
        """Write it over what is there."""
        ...

    async def mark_connected(self, tx: Transaction, region: str, now: datetime) -> bool:
        """Remember that the workspace has had a connection, from now at the latest; False when it was erased.

        Nobody erases it until the transaction ends.
        """
        ...

    async def connected_workspaces(self, tx: Transaction) -> list[UUID]:
        """Every workspace that has had a connection, whichever one the transaction is of."""
        ...


class Connected(Protocol):
    """Which connections work, over all workspaces."""

    async def connected(self, provider: Provider) -> Sequence[UUID]:
        """The workspaces whose connection to a provider is active, or refused for now and tried again.

        Raises:
            Transient: The database could not be reached.
        """
        ...


class TicketStore(Protocol):
    """Tickets of a workspace. Expired ones are never found."""

    async def add_ticket(self, tx: Transaction, ticket: Ticket, *, now: datetime, limit: int) -> bool:
        """Add a ticket and drop expired ones; False when `limit` unexpired ones of its purpose are there already."""
        ...

    async def drop_oldest_tickets(self, tx: Transaction, purpose: TicketPurpose, *, keep: int) -> None:
        """Drop those of a purpose that end first, until `keep` are left."""
        ...

    async def see_ticket(
        self, tx: Transaction, purpose: TicketPurpose, sha256: bytes, *, now: datetime
    ) -> Ticket | None:
        """The ticket, which stays."""
        ...

    async def take_ticket(
        self, tx: Transaction, purpose: TicketPurpose, sha256: bytes, *, now: datetime
    ) -> Ticket | None:
        """The ticket, which is gone: of two who take it, one gets it."""
        ...


class UnauthorizedStore(Protocol):
    """Answers of 401, in the workspace of the installation."""

    async def add_unauthorized(
        self, tx: Transaction, provider: Provider, at: datetime, *, after: datetime, limit: int
    ) -> None:
        """Add one, unless `limit` of them came after an instant, and drop those from before it."""
        ...

    async def unauthorized(
        self, tx: Transaction, provider: Provider, *, after: datetime, until: datetime
    ) -> Sequence[datetime]:
        """When they came, after one instant and until another."""
        ...


class ProgramStore(Protocol):
    """Programs that may read Xero, of a workspace. What they said of themselves is sealed at rest."""

    async def add_program(self, tx: Transaction, program: Program, *, unused_before: datetime, limit: int) -> bool:
        """Add one and drop those that last read before an instant; False when `limit` others are there."""
        ...

    async def programs(self, tx: Transaction, *, read_after: datetime) -> Sequence[Program]:
        """Those that read after an instant, in the order in which they were allowed."""
        ...

    async def program_read_at(self, tx: Transaction, consent: UUID) -> datetime | None:
        """When one last read; None when there is none."""
        ...

    async def mark_program_read(self, tx: Transaction, consent: UUID, now: datetime) -> None:
        """It reads."""
        ...

    async def end_program(self, tx: Transaction, consent: UUID) -> bool:
        """Drop one; False when there is none."""
        ...


class AuthStore(KeyStore, ConnectionStore, TicketStore, UnauthorizedStore, ProgramStore, Protocol):
    """Everything auth keeps."""


@dataclass(frozen=True)
class ProviderProfile:
    """What is fixed about a provider's consent.

    Attributes:
        provider: Which one.
        scopes: What we ask for, and no more.
        refresh_grace_seconds: How long it honours a refresh token after its first use.
        bank_scopes: What is asked for besides once a workspace turns bank matching on.
    """

    provider: Provider
    scopes: tuple[str, ...]
    refresh_grace_seconds: float
    bank_scopes: tuple[str, ...] = ()


class ProviderClient(Protocol):
    """A provider's authorization server, and the one call that says whose account a consent opens.

    Every call raises Transient when no clear answer came; Rejected with the provider's `error` as code when it refused.
    """

    @property
    def profile(self) -> ProviderProfile:
        """What is fixed about it."""
        ...

    def authorize_url(self, *, state: str, challenge: str, scopes: Sequence[str]) -> str:
        """Where to send the browser."""
        ...

    def is_issuer(self, named: str) -> bool:
        """Whether an authorization server that names itself so is this one."""
        ...

    async def exchange(self, *, code: str, verifier: str, scopes: Sequence[str]) -> TokenPair:
        """The first token pair of a consent; its scopes are those asked for when the provider names none."""
        ...

    async def refresh(self, refresh_token: str) -> TokenPair:
        """The next token pair."""
        ...

    async def accounts(self, pair: TokenPair) -> Sequence[Account]:
        """The accounts that the consent just given may mean, as far as the provider tells."""
        ...

    async def opens(self, access_token: str, account: Account) -> bool:
        """Whether a token still opens an account; False only when the provider says for certain that it does not."""
        ...

    async def end(self, connection: Connection) -> None:
        """End what the provider granted for this connection's account, and nothing of the same person's other accounts.

        Raises ConsentLost when the connection's access token is not honoured, so that nothing could be ended with it.
        """
        ...
