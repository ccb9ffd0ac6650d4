"""The twin in memory: rows lie as they are."""

from __future__ import annotations

from collections.abc import Collection, Mapping, MutableMapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final, TypeAlias
from uuid import UUID

from libs.contracts.events import MatchDecided
from libs.contracts.identity import BUCKETS, Provider
from libs.database.memory import table_of
from libs.database.port import Transaction
from services.matcher.domain.blocking import KEY_HOLDERS_MAX
from services.matcher.domain.neighbourhood import Holders
from services.matcher.domain.standing import BillRow, InvoiceRow, opened
from services.matcher.ports import Barrier, Claim, KeyChange, RecordSide

_ALL_BUCKETS: Final = frozenset(range(BUCKETS))

_BEFORE_ALL: Final = datetime.min.replace(tzinfo=UTC)

Held: TypeAlias = Sequence[tuple[str, datetime | None]]
"""Who shares a key on one side, and when Well uploaded it, if it did."""


def _bills(tx: Transaction) -> MutableMapping[str, BillRow]:
    return table_of(tx, "matcher.bill")


def _invoices(tx: Transaction) -> MutableMapping[str, InvoiceRow]:
    return table_of(tx, "matcher.invoice")


def _keys(tx: Transaction, side: RecordSide) -> MutableMapping[str, Mapping[str, datetime | None]]:
    return table_of(tx, f"matcher.{side}_key")


def _claims(tx: Transaction) -> MutableMapping[str, Claim]:
    return table_of(tx, "matcher.claim")


def _decisions(tx: Transaction) -> MutableMapping[tuple[str, int], MatchDecided]:
    return table_of(tx, "matcher.decision")


class MemoryRecords:
    """Bills, supplier invoices and their keys; transactions run one by one, so that nothing need be held."""

    async def hold_bills(self, tx: Transaction, ids: Collection[str]) -> dict[str, BillRow]:
        """The known ones of these bills."""
        return await self.bills(tx, ids)

    async def hold_due_bills(self, tx: Transaction, limit: int) -> list[BillRow]:
        """The first due bills."""
        return [row for _, row in sorted(_bills(tx).items()) if row.is_due][:limit]

    async def bills(self, tx: Transaction, ids: Collection[str]) -> dict[str, BillRow]:
        """The known ones of these bills."""
        rows = _bills(tx)
        return {id_: rows[id_] for id_ in ids if id_ in rows}

    async def put_bills(self, tx: Transaction, rows: Sequence[BillRow]) -> None:
        """Write bills."""
        _bills(tx).update({row.bill_id: row for row in rows})

    async def hold_invoices(self, tx: Transaction, ids: Collection[str]) -> dict[str, InvoiceRow]:
        """The known ones of these supplier invoices."""
        return await self.invoices(tx, ids)

    async def invoices(self, tx: Transaction, ids: Collection[str]) -> dict[str, InvoiceRow]:
        """The known ones of these supplier invoices."""
        rows = _invoices(tx)
        return {id_: rows[id_] for id_ in ids if id_ in rows}

    async def put_invoices(self, tx: Transaction, rows: Sequence[InvoiceRow]) -> None:
        """Write supplier invoices."""
        _invoices(tx).update({row.invoice_id: row for row in rows})

    async def change_keys(self, tx: Transaction, side: RecordSide, changes: Sequence[KeyChange]) -> None:
        """Move records from keys to keys."""
        held = _keys(tx, side)
        for change in changes:
            for key in change.lost:
                held[key] = {id_: at for id_, at in held.get(key, {}).items() if id_ != change.id}
            for key in change.gained:
                held[key] = {**held.get(key, {}), change.id: change.uploaded_at}

    async def holders(self, tx: Transaction, keys: Collection[str]) -> dict[str, Holders]:
        """Who shares each key."""
        return {key: _holders(self._some(tx, "bill", key), self._some(tx, "invoice", key)) for key in keys}

    async def open_sharing(self, tx: Transaction, causes: Mapping[str, UUID]) -> None:
        """Make due the bills that wait and share one of these keys."""
        rows = _bills(tx)
        for key, cause in causes.items():
            sharing = self._some(tx, "bill", key)
            waiting = [id_ for id_, _ in sharing if rows[id_].is_opened_by_invoices]
            if len(sharing) <= KEY_HOLDERS_MAX:
                await self.open_bills(tx, dict.fromkeys(waiting, cause))

    async def open_bills(self, tx: Transaction, causes: Mapping[str, UUID]) -> None:
        """Make these bills due."""
        rows = _bills(tx)
        for id_, cause in causes.items():
            if id_ in rows and not rows[id_].is_due:
                rows[id_] = opened(rows[id_], cause)

    def _some(self, tx: Transaction, side: RecordSide, key: str) -> list[tuple[str, datetime | None]]:
        held = _keys(tx, side).get(key, {}).items()
        return sorted(held, key=lambda one: (one[1] or _BEFORE_ALL, one[0]))[: KEY_HOLDERS_MAX + 1]


def _holders(bills: Held, invoices: Held) -> Holders:
    return Holders(
        bills=tuple(id_ for id_, _ in bills),
        invoices=tuple(id_ for id_, at in invoices if at is None),
        uploaded=tuple((id_, at) for id_, at in invoices if at is not None),
    )


class MemoryDecisions:
    """Decisions and claims."""

    async def claims(self, tx: Transaction, invoice_ids: Collection[str]) -> dict[str, Claim]:
        """The claims on these supplier invoices."""
        held = _claims(tx)
        return {id_: held[id_] for id_ in invoice_ids if id_ in held}

    async def claim(self, tx: Transaction, claims: Sequence[Claim]) -> set[str]:
        """Claim what is free or the bill's own."""
        held = _claims(tx)
        return {
            claim.invoice_id for claim in claims if held.setdefault(claim.invoice_id, claim).bill_id == claim.bill_id
        }

    async def seize(self, tx: Transaction, claims: Sequence[Claim]) -> dict[str, str]:
        """Claim as a matter of fact."""
        held = _claims(tx)
        lost = {c.invoice_id: held[c.invoice_id].bill_id for c in claims if c.invoice_id in held}
        held.update({claim.invoice_id: claim for claim in claims})
        return {id_: bill_id for id_, bill_id in lost.items() if held[id_].bill_id != bill_id}

    async def release(self, tx: Transaction, keeping: Mapping[str, str | None]) -> list[Claim]:
        """Give up what these bills claim, but for what they keep and what was posted."""
        held = _claims(tx)
        released = [
            claim
            for claim in held.values()
            if claim.bill_id in keeping and claim.ground != "posted" and keeping[claim.bill_id] != claim.invoice_id
        ]
        for claim in released:
            del held[claim.invoice_id]
        return released

    async def put_decisions(self, tx: Transaction, decisions: Mapping[str, MatchDecided]) -> None:
        """Keep decisions."""
        _decisions(tx).update({(id_, decision.generation): decision for id_, decision in decisions.items()})

    async def decisions(self, tx: Transaction, wanted: Mapping[str, int]) -> dict[str, MatchDecided]:
        """Decisions by generation."""
        held = _decisions(tx)
        return {id_: held[id_, generation] for id_, generation in wanted.items() if (id_, generation) in held}

    async def latest(self, tx: Transaction, bill_id: str) -> MatchDecided | None:
        """The standing decision of a bill."""
        row = _bills(tx).get(bill_id)
        return _decisions(tx).get((bill_id, row.generation)) if row else None

    async def counts(self, tx: Transaction) -> dict[str, int]:
        """Bills by standing verdict, and the due ones."""
        counted: dict[str, int] = {}
        for row in _bills(tx).values():
            for name in ([row.verdict] if row.verdict else []) + (["due"] if row.is_due else []):
                counted[name] = counted.get(name, 0) + 1
        return counted


class MemoryWindows:
    """Windows, each with the buckets in which its end was seen."""

    async def see(self, tx: Transaction, barriers: Sequence[Barrier]) -> None:
        """Note barriers."""
        seen = self._seen(tx)
        for barrier in barriers:
            place = (barrier.provider, barrier.window)
            seen[place] = seen.get(place, frozenset()) | {barrier.bucket}

    async def complete(self, tx: Transaction) -> frozenset[Provider]:
        """Providers with a complete window."""
        return frozenset(provider for (provider, _), buckets in self._seen(tx).items() if buckets == _ALL_BUCKETS)

    def _seen(self, tx: Transaction) -> MutableMapping[tuple[Provider, str], Any]:
        return table_of(tx, "matcher.window_seen")
