"""Bills, supplier invoices and their blocking keys in Postgres. Fields lie sealed, keys as keyed fingerprints.

Rows are always taken in the order of their ids, so that two transactions wait for each other and never block each
other for ever.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any
from uuid import UUID

from pydantic import BaseModel

from libs.crypto.keyring import Sealer
from libs.crypto.opened import Opened
from libs.crypto.seal import WorkspaceSeal
from libs.database.port import Transaction
from libs.database.postgres import connection_of
from services.matcher.adapters import rows as shapes
from services.matcher.domain.blocking import KEY_HOLDERS_MAX
from services.matcher.domain.neighbourhood import Holders
from services.matcher.domain.standing import BillRow, InvoiceRow
from services.matcher.ports import KeyChange, RecordSide

_KEY_LABEL = "matcher.key"

_BILLS = "SELECT * FROM matcher.bill WHERE workspace = $1 AND bill_id = ANY($2::text[]) ORDER BY bill_id"
_INVOICES = "SELECT * FROM matcher.invoice WHERE workspace = $1 AND invoice_id = ANY($2::text[]) ORDER BY invoice_id"

_DUE_BILLS = """
SELECT * FROM matcher.bill WHERE workspace = $1 AND is_due ORDER BY bill_id LIMIT $2 FOR UPDATE SKIP LOCKED
"""

_HOLDERS = """
SELECT wanted.key, bills.ids AS bills, invoices.ids AS invoices, invoices.uploaded_at
FROM unnest($2::bytea[]) AS wanted(key),
LATERAL (SELECT array_agg(id) AS ids FROM (
    SELECT id FROM matcher.bill_key WHERE workspace = $1 AND key = wanted.key ORDER BY id LIMIT $3
) AS picked) AS bills,
LATERAL (SELECT array_agg(id) AS ids, array_agg(nullif(uploaded_at, '-infinity')) AS uploaded_at FROM (
    SELECT id, uploaded_at FROM matcher.invoice_key WHERE workspace = $1 AND key = wanted.key
    ORDER BY uploaded_at, id LIMIT $3
) AS picked) AS invoices
"""

_DROP_KEYS = """
DELETE FROM matcher.{side}_key AS held USING unnest($2::bytea[], $3::text[]) AS lost(key, id)
WHERE held.workspace = $1 AND held.key = lost.key AND held.id = lost.id
"""

_ADD_BILL_KEYS = """
INSERT INTO matcher.bill_key (workspace, key, id)
SELECT $1, key, id FROM unnest($2::bytea[], $3::text[]) AS new(key, id) ON CONFLICT DO NOTHING
"""

_ADD_INVOICE_KEYS = """
INSERT INTO matcher.invoice_key (workspace, key, id, uploaded_at)
SELECT $1, key, id, coalesce(uploaded_at, '-infinity')
FROM unnest($2::bytea[], $3::text[], $4::timestamptz[]) AS new(key, id, uploaded_at) ON CONFLICT DO NOTHING
"""

# The condition is BillRow.is_opened_by_invoices. A bill that is due is held as well: somebody may be deciding it right
# now on what was there before, and it must be opened again when that is done.
_HOLD_SHARING = """
WITH sharing AS (
    SELECT sharer.id, wanted.cause, wanted.place
    FROM unnest($2::bytea[], $3::uuid[]) WITH ORDINALITY AS wanted(key, cause, place),
    LATERAL (SELECT array_agg(id) AS ids FROM (
        SELECT id FROM matcher.bill_key WHERE workspace = $1 AND key = wanted.key LIMIT $4 + 1) AS few) AS few,
    unnest(few.ids) AS sharer(id)
    WHERE cardinality(few.ids) <= $4
), first AS (
    SELECT DISTINCT ON (id) id, cause FROM sharing ORDER BY id, place
)
SELECT bill.bill_id, bill.is_due, first.cause FROM matcher.bill AS bill JOIN first ON bill.bill_id = first.id
WHERE bill.workspace = $1 AND (
    bill.is_due OR (bill.posted_invoice_id IS NULL AND bill.chosen_by_person IS NULL
        AND (bill.verdict IN ('review', 'unmatched') OR (bill.verdict = 'post' AND bill.posting = 'rejected'))))
ORDER BY bill.bill_id FOR UPDATE OF bill
"""

_HOLD_NAMED = """
SELECT bill.bill_id, bill.is_due, wanted.cause FROM matcher.bill AS bill
JOIN unnest($2::text[], $3::uuid[]) AS wanted(bill_id, cause) USING (bill_id)
WHERE bill.workspace = $1 ORDER BY bill.bill_id FOR UPDATE OF bill
"""

_OPEN = """
UPDATE matcher.bill AS bill SET is_due = true, cause = held.cause
FROM unnest($2::text[], $3::uuid[]) AS held(bill_id, cause) WHERE bill.workspace = $1 AND bill.bill_id = held.bill_id
"""


class PostgresRecords:
    """Bills, supplier invoices and their keys."""

    def __init__(self, sealer: Sealer) -> None:
        self._sealer = sealer
        self._opened = Opened[BaseModel]()

    async def hold_bills(self, tx: Transaction, ids: Collection[str]) -> dict[str, BillRow]:
        """The known ones of these bills, held until the transaction ends."""
        return await self._bills(tx, f"{_BILLS} FOR UPDATE", list(ids))

    async def hold_due_bills(self, tx: Transaction, limit: int) -> list[BillRow]:
        """Some due bills that no other transaction holds, held until this one ends."""
        return list((await self._bills(tx, _DUE_BILLS, limit)).values())

    async def bills(self, tx: Transaction, ids: Collection[str]) -> dict[str, BillRow]:
        """The known ones of these bills, not held."""
        return await self._bills(tx, _BILLS, list(ids))

    async def put_bills(self, tx: Transaction, rows: Sequence[BillRow]) -> None:
        """Write bills, new or known."""
        if rows:
            sealing = await self._sealing(tx)
            ordered = sorted(rows, key=lambda row: row.bill_id)
            await connection_of(tx).execute(shapes.PUT_BILLS, tx.workspace, *shapes.bill_columns(sealing, ordered))

    async def hold_invoices(self, tx: Transaction, ids: Collection[str]) -> dict[str, InvoiceRow]:
        """The known ones of these supplier invoices, held until the transaction ends."""
        return await self._invoices(tx, f"{_INVOICES} FOR UPDATE", ids)

    async def invoices(self, tx: Transaction, ids: Collection[str]) -> dict[str, InvoiceRow]:
        """The known ones of these supplier invoices, not held."""
        return await self._invoices(tx, _INVOICES, ids)

    async def put_invoices(self, tx: Transaction, rows: Sequence[InvoiceRow]) -> None:
        """Write supplier invoices, new or known."""
        if rows:
            columns = shapes.invoice_columns(await self._sealing(tx), sorted(rows, key=lambda row: row.invoice_id))
            await connection_of(tx).execute(shapes.PUT_INVOICES, tx.workspace, *columns)

    async def change_keys(self, tx: Transaction, side: RecordSide, changes: Sequence[KeyChange]) -> None:
        """Move records from keys to keys."""
        seal = await self._sealer.of(tx.workspace)
        lost = [(_blind(seal, key), change.id) for change in changes for key in change.lost]
        gained = [(_blind(seal, key), change.id) for change in changes for key in change.gained]
        if lost:
            await connection_of(tx).execute(
                _DROP_KEYS.format(side=side), tx.workspace, *zip(*sorted(lost), strict=True)
            )
        if gained:
            keys, ids = zip(*sorted(gained), strict=True)
            uploaded = {change.id: change.uploaded_at for change in changes}
            of_invoices = ([uploaded[id_] for id_ in ids],) if side == "invoice" else ()
            add = _ADD_INVOICE_KEYS if side == "invoice" else _ADD_BILL_KEYS
            await connection_of(tx).execute(add, tx.workspace, keys, ids, *of_invoices)

    async def holders(self, tx: Transaction, keys: Collection[str]) -> dict[str, Holders]:
        """Who shares each key, cut at one more than `KEY_HOLDERS_MAX` a side; Well's own uploads last."""
        if not keys:
            return {}
        seal = await self._sealer.of(tx.workspace)
        plain = {_blind(seal, key): key for key in keys}
        rows = await connection_of(tx).fetch(_HOLDERS, tx.workspace, list(plain), KEY_HOLDERS_MAX + 1)
        return {plain[row["key"]]: _holders(row) for row in rows}

    async def open_sharing(self, tx: Transaction, causes: Mapping[str, UUID]) -> None:
        """Make due the bills that wait and share one of these keys, each with its cause."""
        if causes:
            seal = await self._sealer.of(tx.workspace)
            keys = [_blind(seal, key) for key in causes]
            values = list(causes.values())
            await _open(tx, await connection_of(tx).fetch(_HOLD_SHARING, tx.workspace, keys, values, KEY_HOLDERS_MAX))

    async def open_bills(self, tx: Transaction, causes: Mapping[str, UUID]) -> None:
        """Make these bills due, each with its cause; one that is due already keeps its own."""
        if causes:
            named = (list(causes), list(causes.values()))
            await _open(tx, await connection_of(tx).fetch(_HOLD_NAMED, tx.workspace, *named))

    async def _bills(self, tx: Transaction, sql: str, wanted: list[str] | int) -> dict[str, BillRow]:
        if not wanted:
            return {}
        sealing = await self._sealing(tx)
        found = await connection_of(tx).fetch(sql, tx.workspace, wanted)
        return {row["bill_id"]: shapes.bill_row(sealing, row) for row in found}

    async def _invoices(self, tx: Transaction, sql: str, ids: Collection[str]) -> dict[str, InvoiceRow]:
        if not ids:
            return {}
        sealing = await self._sealing(tx)
        found = await connection_of(tx).fetch(sql, tx.workspace, list(ids))
        return {row["invoice_id"]: shapes.invoice_row(sealing, row) for row in found}

    async def _sealing(self, tx: Transaction) -> shapes.Sealing:
        """First of all the seal: of an erased workspace nothing opens, remembered or not."""
        return shapes.Sealing(await self._sealer.of(tx.workspace), self._opened)


def _holders(row: Mapping[str, Any]) -> Holders:
    invoices = list(zip(row["invoices"] or (), row["uploaded_at"] or (), strict=True))
    return Holders(
        bills=tuple(row["bills"] or ()),
        invoices=tuple(id_ for id_, at in invoices if at is None),
        uploaded=tuple((id_, at) for id_, at in invoices if at is not None),
    )


async def _open(tx: Transaction, held: Sequence[Mapping[str, Any]]) -> None:
    """Make due what is not. The rows are as they stand now that they are held, in a statement of its own."""
    causes = {row["bill_id"]: row["cause"] for row in held if not row["is_due"]}
    if causes:
        await connection_of(tx).execute(_OPEN, tx.workspace, list(causes), list(causes.values()))


def _blind(seal: WorkspaceSeal, key: str) -> bytes:
    return seal.blind(_KEY_LABEL, key)
