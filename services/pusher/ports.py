"""What the pusher needs: its rows, both sides of Qonto, a token for one call, and who its workspaces are."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol
from uuid import UUID

from libs.contracts.identity import Provider
from libs.crypto.lent import LentToken
from libs.database.port import Transaction
from services.pusher.domain.bill import Bill
from services.pusher.domain.comparing import ReadBack
from services.pusher.domain.posting import Posting, State


class Store(Protocol):
    """Bills and postings of a workspace. Customers' words are sealed at rest."""

    async def hold_bills(self, tx: Transaction, records: Collection[str], *, make: Collection[str] = ()) -> list[Bill]:
        """The bills of these records, held until the transaction ends; those of `make` are made when there are none."""
        ...

    async def put_bills(self, tx: Transaction, bills: Sequence[Bill]) -> None:
        """Write bills over what is there."""
        ...

    async def hold_postings(self, tx: Transaction, records: Collection[str]) -> list[Posting]:
        """Every posting of these records, by generation, held until the transaction ends."""
        ...

    async def any_due(self, tx: Transaction, states: Collection[State], now: datetime) -> bool:
        """Whether `take` would give anything."""
        ...

    async def take(self, tx: Transaction, states: Collection[State], now: datetime, limit: int) -> list[Posting]:
        """Due postings in these states, the longest due first; passed over are those that another transaction holds.

        One that would wait longer than any does was put off by a clock that has gone back since, and is due.
        """
        ...

    async def add(self, tx: Transaction, postings: Sequence[Posting]) -> None:
        """Add new postings.

        Raises:
            Stale: A bill has a live posting already, or a posting of this generation.
        """
        ...

    async def save(self, tx: Transaction, postings: Sequence[Posting]) -> list[Posting]:
        """Write changed postings and give them with their new versions.

        Raises:
            Stale: One of them was changed by somebody else since it was read.
        """
        ...

    async def counts(self, tx: Transaction) -> Mapping[State, int]:
        """Postings by state, with the bills that wait."""
        ...


@dataclass(frozen=True)
class Upload:
    """One file to upload.

    Attributes:
        key: The idempotency key, which is the posting's id.
        account: The organization it was meant for.
        file_name: Its name in Qonto.
        content: The supplier's own bytes.
        mime_type: What they are.
    """

    key: UUID
    account: str
    file_name: str
    content: bytes = field(repr=False)
    mime_type: str


@dataclass(frozen=True)
class Uploaded:
    """Qonto took the file."""

    invoice_id: str
    attachment_id: str | None


@dataclass(frozen=True)
class Refused:
    """Qonto took the request and refused the file."""

    code: str
    sentence: str


class QontoWriter(Protocol):
    """The one way to write to Qonto."""

    async def account(self, workspace: UUID) -> str:
        """The organization that the workspace's consent opens.

        Raises:
            ConsentLost: A person must reconnect it.
            Transient: It cannot be told right now.
        """
        ...

    async def upload(self, workspace: UUID, upload: Upload) -> Uploaded | Refused:
        """Upload one file. One request carries one file, so that an answer is never another file's.

        Raises:
            OutcomeUnknown: The request left and no answer that counts came.
            Transient: Nothing was done; the same request may succeed later.
            ConsentLost: Nothing was done; a person must reconnect.
            Rejected: Nothing was done; Qonto refuses the request itself.
            Stale: Nothing was sent: the workspace's consent is for another organization now.
        """
        ...


class QontoReader(Protocol):
    """What the pusher reads of supplier invoices."""

    async def created_since(self, workspace: UUID, account: str, since: datetime) -> list[ReadBack]:
        """Every supplier invoice created since an instant, to the last page.

        Raises:
            Transient: It could not be read to the end.
            ConsentLost: A person must reconnect.
            Rejected: Qonto refuses the request.
            Stale: The workspace's consent is for another organization now.
        """
        ...

    async def by_attachments(self, workspace: UUID, attachment_ids: Sequence[str]) -> list[ReadBack]:
        """The supplier invoices of these files, at most 50.

        Raises:
            Transient: It could not be read.
            ConsentLost: A person must reconnect.
            Rejected: Qonto refuses the request.
        """
        ...


class Qonto(QontoWriter, QontoReader, Protocol):
    """Both sides."""


class TokenLender(Protocol):
    """Lends tokens, one call at a time. The auth service stands behind it."""

    async def lend(self, borrower: str, workspace: UUID, provider: Provider) -> LentToken:
        """A token for one call.

        Raises:
            ConsentLost: There is no consent, or it is no longer honoured.
            Transient: It could not be refreshed right now.
        """
        ...

    async def refused(self, workspace: UUID, provider: Provider, secret: str) -> None:
        """Tell that the provider refused this token; one that is still the current one is refreshed.

        Raises:
            ConsentLost: The refresh failed for good.
            Transient: It could not be refreshed right now.
        """
        ...


class Workspaces(Protocol):
    """Who there is to work for. The auth service stands behind it."""

    async def connected(self, provider: Provider) -> Sequence[UUID]:
        """Workspaces whose connection to a provider is active, or refused for now and tried again."""
        ...
