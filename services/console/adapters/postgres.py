"""The console's rows in Postgres."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import asyncpg

from libs.contracts.model import reread
from libs.crypto.keyring import Sealer
from libs.crypto.seal import WorkspaceSeal
from libs.database.port import Transaction
from libs.database.postgres import connection_of
from services.console.domain.view import BillView
from services.console.ports import PAGE_MAX

_TABLE: Final = "console.bill_view"

_LOAD: Final = """
SELECT record_key, sealed FROM console.bill_view WHERE record_key = ANY($1::bytea[]) ORDER BY record_key FOR UPDATE
"""

_SAVE: Final = """
INSERT INTO console.bill_view
    (workspace, record_key, number_key, waits, verdict, reason, generation, posting, changed_at, sealed)
SELECT $1, * FROM unnest($2::bytea[], $3::bytea[], $4::boolean[], $5::text[], $6::text[], $7::integer[], $8::text[],
                         $9::timestamptz[], $10::bytea[])
ON CONFLICT (workspace, record_key) DO UPDATE SET
    number_key = excluded.number_key, waits = excluded.waits, verdict = excluded.verdict, reason = excluded.reason,
    generation = excluded.generation, posting = excluded.posting, changed_at = excluded.changed_at,
    sealed = excluded.sealed
"""

_WAITING: Final = (
    "SELECT record_key, sealed FROM console.bill_view WHERE waits ORDER BY changed_at, record_key LIMIT $1"
)
_COUNT_WAITING: Final = "SELECT count(*) FROM console.bill_view WHERE waits"
_NUMBERED: Final = "SELECT record_key, sealed FROM console.bill_view WHERE number_key = $1 ORDER BY record_key LIMIT $2"


class PostgresViewStore:
    """The views of a workspace's bills, each sealed whole."""

    def __init__(self, sealer: Sealer) -> None:
        self._sealer = sealer

    async def load(self, tx: Transaction, records: Sequence[str]) -> Mapping[str, BillView]:
        """The views of these records that there are, held until the transaction ends."""
        seal = await self._sealer.of(tx.workspace)
        keys = [seal.blind("record", record) for record in records]
        return {view.record: view for view in _opened(seal, await connection_of(tx).fetch(_LOAD, keys))}

    async def save(self, tx: Transaction, views: Sequence[BillView]) -> None:
        """Keep views in place of what was there."""
        seal = await self._sealer.of(tx.workspace)
        ordered = sorted(views, key=lambda view: view.record)
        await connection_of(tx).execute(
            _SAVE,
            tx.workspace,
            [seal.blind("record", view.record) for view in ordered],
            [_number_key(seal, view) for view in ordered],
            [view.waits for view in ordered],
            [view.decision.verdict if view.decision else None for view in ordered],
            [view.decision.reason if view.decision else None for view in ordered],
            [view.decision.generation if view.decision else 0 for view in ordered],
            [view.posting for view in ordered],
            [view.changed_at for view in ordered],
            [_sealed(seal, view) for view in ordered],
        )

    async def waiting(self, tx: Transaction, *, limit: int) -> Sequence[BillView]:
        """Bills that wait for a person, longest first."""
        seal = await self._sealer.of(tx.workspace)
        return _opened(seal, await connection_of(tx).fetch(_WAITING, min(limit, PAGE_MAX)))

    async def count_waiting(self, tx: Transaction) -> int:
        """How many bills wait for a person."""
        return int(await connection_of(tx).fetchval(_COUNT_WAITING))

    async def numbered(self, tx: Transaction, number: str) -> Sequence[BillView]:
        """Bills with this number, whatever its case."""
        seal = await self._sealer.of(tx.workspace)
        return _opened(seal, await connection_of(tx).fetch(_NUMBERED, seal.blind("number", number.upper()), PAGE_MAX))


def _number_key(seal: WorkspaceSeal, view: BillView) -> bytes | None:
    number = view.bill.number if view.bill else None
    return seal.blind("number", number.upper()) if number else None


def _sealed(seal: WorkspaceSeal, view: BillView) -> bytes:
    row = seal.blind("record", view.record).hex()
    return seal.seal(view.model_dump_json().encode(), table=_TABLE, row=row, column="sealed")


def _opened(seal: WorkspaceSeal, rows: Sequence[asyncpg.Record]) -> list[BillView]:
    return [
        reread(
            BillView,
            seal.open(row["sealed"], table=_TABLE, row=row["record_key"].hex(), column="sealed"),
            where=f"{_TABLE}.sealed",
        )
        for row in rows
    ]
