"""Laying out a desk in a transaction, and putting away what changed on it."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from libs.database.port import Transaction
from services.pusher.domain.desk import Desk
from services.pusher.domain.posting import Posting
from services.pusher.ports import Store


async def lay_out(
    store: Store, tx: Transaction, records: Collection[str], now: datetime, *, make: Collection[str] = ()
) -> Desk:
    """The bills of these records and all their postings, held; bills first, so that no two desks wait crosswise.

    Bills of `make` are made when there are none, so that two halves that arrive at once in two processes meet.
    """
    bills = await store.hold_bills(tx, records, make=make)
    postings = await store.hold_postings(tx, [bill.record for bill in bills])
    return Desk(tx.workspace, {bill.record: bill for bill in bills}, postings, now)


async def put_away(store: Store, tx: Transaction, desk: Desk) -> dict[UUID, Posting]:
    """Write what changed, and give the changed postings with their new versions.

    Postings that ended are written before new ones: a bill has one live posting at a time.

    Raises:
        Stale: Somebody else changed one of them since it was read.
    """
    await store.put_bills(tx, desk.changed_bills)
    saved = await store.save(tx, desk.changed_postings)
    await store.add(tx, desk.new_postings)
    return {posting.id: posting for posting in saved}
