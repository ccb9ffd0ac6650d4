"""Bills and postings in Postgres, a batch a statement."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

import asyncpg

from libs.contracts.errors import Stale
from libs.crypto.keyring import Sealer
from libs.database.port import Transaction
from libs.database.postgres import connection_of
from services.pusher.adapters.postgres_rows import (
    BILL_COLUMNS,
    POSTING_COLUMNS,
    bill_of,
    bill_values,
    posting_of,
    posting_values,
)
from services.pusher.domain.bill import Bill
from services.pusher.domain.posting import Posting, State
from services.pusher.domain.retrying import LONGEST_WAIT_SECONDS


def _arrays(columns: Mapping[str, str]) -> str:
    return ", ".join(f"${at}::{kind}[]" for at, kind in enumerate(columns.values(), start=2))


_BILL_NAMES: Final = ", ".join(BILL_COLUMNS)
_POSTING_NAMES: Final = ", ".join(POSTING_COLUMNS)
_LONGEST_WAIT: Final = timedelta(seconds=LONGEST_WAIT_SECONDS)
_UNCHANGING: Final = frozenset({"id", "record", "generation", "version", "sealed"})

# Statements are put together from the column lists above and nothing else; values travel as arguments.
_MAKE_BILLS: Final = """
INSERT INTO pusher.bill (workspace, record)
SELECT $1, record FROM unnest($2::text[]) AS made (record) ORDER BY record
ON CONFLICT DO NOTHING"""

_HOLD_BILLS: Final = f"""
SELECT {_BILL_NAMES} FROM pusher.bill WHERE workspace = $1 AND record = ANY ($2::text[])
ORDER BY record FOR UPDATE"""  # noqa: S608 - only our own column names

_PUT_BILLS: Final = f"""
UPDATE pusher.bill AS bill SET {", ".join(f"{name} = put.{name}" for name in BILL_COLUMNS if name != "record")}
FROM unnest({_arrays(BILL_COLUMNS)}) AS put ({_BILL_NAMES})
WHERE bill.workspace = $1 AND bill.record = put.record"""  # noqa: S608 - only our own column names

_HOLD_POSTINGS: Final = f"""
SELECT {_POSTING_NAMES} FROM pusher.posting WHERE workspace = $1 AND record = ANY ($2::text[])
ORDER BY record, generation FOR UPDATE"""  # noqa: S608 - only our own column names

_ANY_DUE: Final = """
SELECT EXISTS (
    SELECT FROM pusher.posting
    WHERE workspace = $1 AND state = ANY ($2::text[]) AND (due_at <= $3 OR due_at > $3 + $4::interval))"""

_TAKE: Final = f"""
SELECT {_POSTING_NAMES} FROM pusher.posting
WHERE workspace = $1 AND state = ANY ($2::text[]) AND (due_at <= $3 OR due_at > $3 + $4::interval)
ORDER BY due_at, id LIMIT $5 FOR UPDATE SKIP LOCKED"""  # noqa: S608 - only our own column names

_ADD: Final = f"""
INSERT INTO pusher.posting (workspace, {_POSTING_NAMES})
SELECT $1, * FROM unnest({_arrays(POSTING_COLUMNS)})"""  # noqa: S608 - only our own column names

_SAVE: Final = f"""
UPDATE pusher.posting AS posting
SET version = posting.version + 1, {", ".join(f"{n} = put.{n}" for n in POSTING_COLUMNS if n not in _UNCHANGING)}
FROM unnest({_arrays(POSTING_COLUMNS)}) AS put ({_POSTING_NAMES})
WHERE posting.workspace = $1 AND posting.id = put.id AND posting.version = put.version"""  # noqa: S608 - the same

_COUNTS: Final = """
SELECT state, count(*) AS postings FROM pusher.posting WHERE workspace = $1 GROUP BY state
UNION ALL
SELECT 'waiting', count(*) FROM pusher.bill WHERE workspace = $1 AND post AND answered < generation"""


class PostgresStore:
    """The pusher's rows in its own schema."""

    def __init__(self, sealer: Sealer) -> None:
        self._sealer = sealer

    async def hold_bills(self, tx: Transaction, records: Collection[str], *, make: Collection[str] = ()) -> list[Bill]:
        """The bills of these records, held until the transaction ends; those of `make` are made when there are none.

        Making comes first: of two transactions that make the same bill the second waits for the first, then finds it.
        """
        connection = connection_of(tx)
        if make:
            await connection.execute(_MAKE_BILLS, tx.workspace, list(make))
        seal = await self._sealer.of(tx.workspace)
        return [bill_of(seal, row) for row in await connection.fetch(_HOLD_BILLS, tx.workspace, list(records))]

    async def put_bills(self, tx: Transaction, bills: Sequence[Bill]) -> None:
        """Write bills over what is there."""
        if bills:
            seal = await self._sealer.of(tx.workspace)
            await connection_of(tx).execute(_PUT_BILLS, tx.workspace, *_columns(bill_values(seal, b) for b in bills))

    async def hold_postings(self, tx: Transaction, records: Collection[str]) -> list[Posting]:
        """Every posting of these records, by generation, held until the transaction ends."""
        return await self._postings(tx, _HOLD_POSTINGS, list(records))

    async def any_due(self, tx: Transaction, states: Collection[State], now: datetime) -> bool:
        """Whether `take` would give anything."""
        asked = ([state.value for state in states], now, _LONGEST_WAIT)
        return bool(await connection_of(tx).fetchval(_ANY_DUE, tx.workspace, *asked))

    async def take(self, tx: Transaction, states: Collection[State], now: datetime, limit: int) -> list[Posting]:
        """Due postings in these states, the longest due first; passed over are those that another transaction holds."""
        return await self._postings(tx, _TAKE, [state.value for state in states], now, _LONGEST_WAIT, limit)

    async def add(self, tx: Transaction, postings: Sequence[Posting]) -> None:
        """Add new postings.

        Raises:
            Stale: A bill has a live posting already, or a posting of this generation.
        """
        if not postings:
            return
        seal = await self._sealer.of(tx.workspace)
        try:
            await connection_of(tx).execute(_ADD, tx.workspace, *_columns(posting_values(seal, p) for p in postings))
        except asyncpg.UniqueViolationError as error:
            raise Stale("A bill has a posting already; read it again.") from error

    async def save(self, tx: Transaction, postings: Sequence[Posting]) -> list[Posting]:
        """Write changed postings and give them with their new versions.

        Raises:
            Stale: One of them was changed by somebody else since it was read.
        """
        if not postings:
            return []
        seal = await self._sealer.of(tx.workspace)
        done = await connection_of(tx).execute(
            _SAVE, tx.workspace, *_columns(posting_values(seal, p) for p in postings)
        )
        if done != f"UPDATE {len(postings)}":
            raise Stale("A posting was changed since it was read; read it again.")
        return [replace(posting, version=posting.version + 1) for posting in postings]

    async def counts(self, tx: Transaction) -> Mapping[State, int]:
        """Postings by state, with the bills that wait."""
        rows = await connection_of(tx).fetch(_COUNTS, tx.workspace)
        return dict.fromkeys(State, 0) | {State(row["state"]): row["postings"] for row in rows}

    async def _postings(self, tx: Transaction, statement: str, *arguments: object) -> list[Posting]:
        seal = await self._sealer.of(tx.workspace)
        rows = await connection_of(tx).fetch(statement, tx.workspace, *arguments)
        return [posting_of(seal, row) for row in rows]


def _columns(rows: Any) -> list[list[Any]]:  # noqa: ANN401 - rows of values of many types
    return [list(column) for column in zip(*rows, strict=True)]
