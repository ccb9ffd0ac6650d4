"""The group `pusher.intend`: a decision to post and the document it asked for become an intent on record.

1. Hold the bills that the batch is about, with their postings.
2. Take in each event in order: a newer decision withdraws what was not sent yet; the half that completes a bill makes
   the intent, or the refusal with its reason.
3. Write it all down. The events go into the log in the same transaction.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from libs.bus.port import Subscription
from libs.contracts.envelope import Envelope
from libs.contracts.events import MatchDecided
from libs.database.port import Transaction
from libs.eventlog.port import Delivery
from libs.runtime.clock import Clock
from libs.runtime.crashpoints import crashpoint
from services.pusher.flow.desks import lay_out, put_away
from services.pusher.ports import Store

TOPICS: Final = frozenset({"match.decided.v1", "document.fetched.v1"})


class Intend:
    """Joins the two halves of a bill."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def subscription(self) -> Subscription:
        """The consumer group."""
        return Subscription("pusher.intend", TOPICS, self.handle)

    async def handle(self, tx: Transaction, batch: Sequence[Delivery]) -> Sequence[Envelope]:
        """Take in a batch of decisions and documents.

        Raises:
            Stale: A pusher sent a posting while it was being withdrawn; the batch comes again and finds it sent.
        """
        events = [delivery.envelope for delivery in batch]
        # 1. A decision that is not to post matters only for bills that were to be posted before.
        records = {event.record for event in events}
        make = {event.record for event in events if not _leaves_alone(event)}
        desk = await lay_out(self._store, tx, records, self._clock.now(), make=make)
        # 2.
        for event in events:
            desk.hear(event)
        # 3.
        crashpoint("pusher.before_intent")
        await put_away(self._store, tx, desk)
        return desk.events


def _leaves_alone(event: Envelope) -> bool:
    return isinstance(event.payload, MatchDecided) and event.payload.verdict != "post"
