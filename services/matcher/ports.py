"""What the matcher needs.

Every store takes the transaction first and works in batches. Stores keep what providers said sealed and find it by
keyed fingerprints; what crosses this port is open. All rows are of the transaction's workspace.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol
from uuid import UUID

from libs.contracts.events import MatchDecided
from libs.contracts.identity import Provider
from libs.database.port import Transaction
from services.matcher.domain.neighbourhood import Holders
from services.matcher.domain.standing import BillRow, InvoiceRow

RecordSide = Literal["bill", "invoice"]


@dataclass(frozen=True, slots=True)
class KeyChange:
    """The blocking keys a record loses and gains; `uploaded_at` of a supplier invoice that Well uploaded itself."""

    id: str
    lost: frozenset[str]
    gained: frozenset[str]
    uploaded_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Claim:
    """A supplier invoice belongs to a bill: by the model's match, by a person's word, or because it was posted so."""

    invoice_id: str
    bill_id: str
    ground: Literal["matched", "signed_off", "posted"]


@dataclass(frozen=True, slots=True)
class Barrier:
    """A window of a provider was seen to its end in one bucket."""

    provider: Provider
    window: str
    bucket: int


class RecordStore(Protocol):
    """Bills, supplier invoices and their blocking keys."""

    async def hold_bills(self, tx: Transaction, ids: Collection[str]) -> dict[str, BillRow]:
        """The known ones of these bills, held until the transaction ends."""
        ...

    async def hold_due_bills(self, tx: Transaction, limit: int) -> list[BillRow]:
        """Some due bills that no other transaction holds, held until this one ends."""
        ...

    async def bills(self, tx: Transaction, ids: Collection[str]) -> dict[str, BillRow]:
        """The known ones of these bills, not held."""
        ...

    async def put_bills(self, tx: Transaction, rows: Sequence[BillRow]) -> None:
        """Write bills, new or known."""
        ...

    async def hold_invoices(self, tx: Transaction, ids: Collection[str]) -> dict[str, InvoiceRow]:
        """The known ones of these supplier invoices, held until the transaction ends."""
        ...

    async def invoices(self, tx: Transaction, ids: Collection[str]) -> dict[str, InvoiceRow]:
        """The known ones of these supplier invoices, not held."""
        ...

    async def put_invoices(self, tx: Transaction, rows: Sequence[InvoiceRow]) -> None:
        """Write supplier invoices, new or known."""
        ...

    async def change_keys(self, tx: Transaction, side: RecordSide, changes: Sequence[KeyChange]) -> None:
        """Move records from keys to keys."""
        ...

    async def holders(self, tx: Transaction, keys: Collection[str]) -> dict[str, Holders]:
        """Who shares each key, in the order of ids, cut at one more than `KEY_HOLDERS_MAX` a side.

        What Well uploaded itself comes last on its side, in the order of uploading.
        """
        ...

    async def open_sharing(self, tx: Transaction, causes: Mapping[str, UUID]) -> None:
        """Make due the bills that wait (`is_opened_by_invoices`) and share one of these keys, each with its cause.

        Keys of more than `KEY_HOLDERS_MAX` bills are passed over, as they are when candidates are looked for. A bill
        that is due already keeps its cause.
        """
        ...

    async def open_bills(self, tx: Transaction, causes: Mapping[str, UUID]) -> None:
        """Make these bills due, each with its cause; one that is due already keeps its own."""
        ...


class DecisionStore(Protocol):
    """Decisions, and which supplier invoice belongs to which bill."""

    async def claims(self, tx: Transaction, invoice_ids: Collection[str]) -> dict[str, Claim]:
        """The claims on these supplier invoices."""
        ...

    async def claim(self, tx: Transaction, claims: Sequence[Claim]) -> set[str]:
        """Claim supplier invoices that are free, or this bill's own already; returns those that now are the bill's."""
        ...

    async def seize(self, tx: Transaction, claims: Sequence[Claim]) -> dict[str, str]:
        """Claim supplier invoices as a matter of fact; returns who lost which: supplier invoice to bill."""
        ...

    async def release(self, tx: Transaction, keeping: Mapping[str, str | None]) -> list[Claim]:
        """Give up what these bills claim, but for one supplier invoice each, and for what was posted.

        Args:
            tx: The transaction.
            keeping: Bill to the supplier invoice it keeps, or None.
        """
        ...

    async def put_decisions(self, tx: Transaction, decisions: Mapping[str, MatchDecided]) -> None:
        """Keep the decisions of bills beside their earlier ones."""
        ...

    async def decisions(self, tx: Transaction, wanted: Mapping[str, int]) -> dict[str, MatchDecided]:
        """The decision of each bill with the given generation, where there is one."""
        ...

    async def latest(self, tx: Transaction, bill_id: str) -> MatchDecided | None:
        """The standing decision of a bill."""
        ...

    async def counts(self, tx: Transaction) -> dict[str, int]:
        """Bills by standing verdict, and under `due` those to be decided."""
        ...


class WindowStore(Protocol):
    """Which windows of the providers were seen to their end."""

    async def see(self, tx: Transaction, barriers: Sequence[Barrier]) -> None:
        """Note barriers; one seen before changes nothing."""
        ...

    async def complete(self, tx: Transaction) -> frozenset[Provider]:
        """The providers of which at least one window was seen in all buckets."""
        ...


class Workspaces(Protocol):
    """Which workspaces there are. The auth service stands behind it."""

    async def workspaces(self) -> Sequence[UUID]:
        """Those with at least one connection."""
        ...
