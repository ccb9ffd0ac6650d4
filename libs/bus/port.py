"""What a consumer group is, whatever carries its events.

A handler takes a batch and a transaction and returns events. It cannot tell which transport feeds it, and promises:

1. It touches nothing outside the transaction. Effects at providers are jobs of their own, written down first.
2. The same batch in the same state gives the same events.

The transport promises in return: events of one key in order; every event at least once, and its effect exactly once,
since the handler's rows, its events and its positions commit together; all deliveries of a batch belong to one
workspace; a batch whose handler fails is tried again, then taken one by one, and what still fails is parked.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final

from libs.contracts.envelope import Envelope
from libs.database.port import Transaction
from libs.eventlog.port import Delivery

BATCH_EVENTS: Final = 500
"""Events a batch at most. Postgres keeps 214 events a second at one a transaction and 54,500 at 200: group commit is
the whole game. 500 keeps a batch under about a tenth of a second, so that a stop or a rival waits no longer."""

Handler = Callable[[Transaction, Sequence[Delivery]], Awaitable[Sequence[Envelope]]]


@dataclass(frozen=True)
class Subscription:
    """One consumer group.

    Attributes:
        group: `<service>.<flow file>`, such as `matcher.decide`.
        topics: The topics it reads. Those of one log may reach it at different times; each keeps its own order.
        handler: What it does with a batch.
        batch_events: Events a batch at most.
    """

    group: str
    topics: frozenset[str]
    handler: Handler
    batch_events: int = BATCH_EVENTS
