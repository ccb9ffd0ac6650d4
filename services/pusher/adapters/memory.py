"""The store's twin in memory."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from libs.contracts.errors import Stale
from libs.database.memory import table_of
from libs.database.port import Transaction
from services.pusher.domain.bill import Bill
from services.pusher.domain.posting import LIVE, Posting, State
from services.pusher.domain.retrying import is_due

_BILL = "pusher.bill"
_POSTING = "pusher.posting"


class MemoryStore:
    """Bills and postings of a workspace, in the tables of a MemoryDatabase."""

    async def hold_bills(self, tx: Transaction, records: Collection[str], *, make: Collection[str] = ()) -> list[Bill]:
        """The bills of these records; those of `make` are made when there are none."""
        table = table_of(tx, _BILL)
        for record in make:
            table.setdefault(record, Bill(record))
        return [table[record] for record in sorted(records) if record in table]

    async def put_bills(self, tx: Transaction, bills: Sequence[Bill]) -> None:
        """Write bills over what is there."""
        table_of(tx, _BILL).update({bill.record: bill for bill in bills})

    async def hold_postings(self, tx: Transaction, records: Collection[str]) -> list[Posting]:
        """Every posting of these records, by generation."""
        postings = [posting for posting in table_of(tx, _POSTING).values() if posting.record in records]
        return sorted(postings, key=lambda posting: (posting.record, posting.generation))

    async def any_due(self, tx: Transaction, states: Collection[State], now: datetime) -> bool:
        """Whether `take` would give anything."""
        return bool(await self.take(tx, states, now, 1))

    async def take(self, tx: Transaction, states: Collection[State], now: datetime, limit: int) -> list[Posting]:
        """Due postings in these states, the longest due first."""
        due = [
            (posting.due_at, posting.id, posting)
            for posting in table_of(tx, _POSTING).values()
            if posting.state in states and posting.due_at is not None and is_due(posting.due_at, now)
        ]
        return [posting for _, _, posting in sorted(due, key=lambda entry: entry[:2])[:limit]]

    async def add(self, tx: Transaction, postings: Sequence[Posting]) -> None:
        """Add new postings.

        Raises:
            Stale: A bill has a live posting already, or a posting of this generation.
        """
        table = table_of(tx, _POSTING)
        for posting in postings:
            rivals = [other for other in table.values() if other.record == posting.record]
            if any(other.generation == posting.generation for other in rivals) or (
                posting.state in LIVE and any(other.state in LIVE for other in rivals)
            ):
                raise Stale("A bill has a posting already; read it again.")
            table[posting.id] = posting

    async def save(self, tx: Transaction, postings: Sequence[Posting]) -> list[Posting]:
        """Write changed postings and give them with their new versions.

        Raises:
            Stale: One of them was changed by somebody else since it was read.
        """
        table = table_of(tx, _POSTING)
        saved = [replace(posting, version=posting.version + 1) for posting in postings]
        for posting in postings:
            known: Posting | None = table.get(posting.id)
            if known is None or known.version != posting.version:
                raise Stale("A posting was changed since it was read; read it again.")
        table.update({posting.id: posting for posting in saved})
        return saved

    async def counts(self, tx: Transaction) -> Mapping[State, int]:
        """Postings by state, with the bills that wait."""
        counts = Counter(posting.state for posting in table_of(tx, _POSTING).values())
        counts[State.WAITING] = sum(bill.waits for bill in table_of(tx, _BILL).values())
        return {state: counts[state] for state in State}
