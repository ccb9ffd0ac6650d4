"""Group `console.show`: keeps what people see in step with what happened."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from libs.bus.port import Subscription
from libs.contracts.envelope import Envelope
from libs.database.port import Transaction
from libs.eventlog.port import Delivery
from services.console.domain.view import BillView, seen
from services.console.ports import ViewStore

TOPICS: Final = frozenset({"entity.normalized.v1", "match.decided.v1", "match.signed_off.v1", "qonto.posted.v1"})
_BILLS: Final = "xero/bill/"


class Show:
    """Applies events to the views of their bills."""

    def __init__(self, store: ViewStore) -> None:
        self._store = store

    def subscription(self) -> Subscription:
        """What it reads."""
        return Subscription("console.show", TOPICS, self.handle)

    async def handle(self, tx: Transaction, batch: Sequence[Delivery]) -> Sequence[Envelope]:
        """Move the views of a batch; nothing follows from it."""
        events = [delivery.envelope for delivery in batch if delivery.envelope.record.startswith(_BILLS)]
        views: dict[str, BillView | None] = dict(await self._store.load(tx, sorted({event.record for event in events})))
        for event in events:
            views[event.record] = seen(views.get(event.record), event)
        await self._store.save(tx, [view for view in views.values() if view is not None])
        return ()
