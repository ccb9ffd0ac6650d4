"""Handlers that answer what they read, and can be told to fail."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from libs.contracts.envelope import Envelope, enveloped
from libs.contracts.events import EntityWithdrawn, RecordPulled
from libs.database.port import Transaction
from libs.eventlog.port import Delivery


class Killed(BaseException):
    """Stands for a process that ends in the middle of a handler."""


@dataclass
class Echo:
    """A handler that answers each event with one, and can be told to fail.

    Attributes:
        batches: The records of every batch it was given, committed or not.
        poison: Records it cannot handle.
        dies_at: The number of the batch in which the process ends.
    """

    batches: list[list[str]] = field(default_factory=list)
    workspaces: list[set[UUID]] = field(default_factory=list)
    poison: frozenset[str] = frozenset()
    dies_at: int | None = None

    async def handle(self, tx: Transaction, batch: Sequence[Delivery]) -> list[Envelope]:
        """One event for each, caused by it."""
        self.batches.append([delivery.envelope.record for delivery in batch])
        self.workspaces.append({delivery.envelope.workspace for delivery in batch} | {tx.workspace})
        if self.dies_at == len(self.batches):
            raise Killed
        await asyncio.sleep(0)
        if any(delivery.envelope.record in self.poison for delivery in batch):
            raise ZeroDivisionError
        return [_answer(delivery.envelope) for delivery in batch]


@dataclass
class Gated(Echo):
    """An echo that waits in the middle of its batch until it is let go.

    Attributes:
        entered: Set when it is in a batch.
        may_go: What it waits for.
    """

    entered: asyncio.Event = field(default_factory=asyncio.Event)
    may_go: asyncio.Event = field(default_factory=asyncio.Event)

    async def handle(self, tx: Transaction, batch: Sequence[Delivery]) -> list[Envelope]:
        """As any echo, later."""
        self.entered.set()
        await self.may_go.wait()
        return await super().handle(tx, batch)


def _answer(event: Envelope) -> Envelope:
    assert isinstance(event.payload, RecordPulled)
    answer = EntityWithdrawn(kind="bill", reason="voided", version=event.payload.version, sentence="An echo.")
    return enveloped(
        answer, workspace=event.workspace, record=event.record, cause=event.id, occurred_at=event.occurred_at
    )
