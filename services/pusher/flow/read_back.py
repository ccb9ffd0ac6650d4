"""The job `pusher.read_back`: what did Qonto read from the document?

1. Take settled postings that are due, with a lease.
2. List their supplier invoices by attachment, 50 at a time, outside any transaction.
3. Compare those that Qonto has analysed, field by field, and put the outcome on record. Those it has not are looked at
   again after a growing pause, and left unchecked after a limit, to a person.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Final
from uuid import UUID

from libs.contracts.envelope import Envelope
from libs.contracts.errors import Rejected
from libs.database.port import Database
from libs.eventlog.port import EventLog
from libs.runtime.clock import Clock
from libs.runtime.crashpoints import crashpoint
from libs.runtime.rounds import Rounds
from services.pusher.domain.comparing import ReadBack, compare
from services.pusher.domain.posting import Posting, State
from services.pusher.domain.retrying import ReadingRule
from services.pusher.domain.telling import Teller, Told
from services.pusher.ports import QontoReader, Store

READ_AT_ONCE: Final = 50
"""Supplier invoices a listing. Fifty ids make an address of 3 kB; servers commonly refuse 8."""

_NOT_READ_YET: Final = "Qonto has not read it yet."
_NEVER_READ: Final = "Qonto has the document and did not say in time what it reads there. Compare it by eye in Qonto."
_NO_TOTAL: Final = "Qonto has the document and read no total there, so it was not compared. Compare it by eye in Qonto."
_NO_FILE: Final = "Qonto has the document and does not say as which file, so it cannot be read back. Compare it by eye."


class ReadBackJob:
    """Compares what Qonto read with what Xero has."""

    def __init__(
        self,
        *,
        database: Database,
        log: EventLog,
        store: Store,
        qonto: QontoReader,
        rounds: Rounds,
        clock: Clock,
        rule: ReadingRule,
    ) -> None:
        self._database = database
        self._log = log
        self._store = store
        self._qonto = qonto
        self._clock = clock
        self._rule = rule
        self._rounds = rounds

    async def step(self) -> int:
        """Read back what is due in every workspace, and give how many postings came to an end."""
        return await self._rounds.go(self.read_back)

    async def read_back(self, workspace: UUID) -> int:
        """Read back what is due in one workspace.

        Raises:
            Rejected: Qonto refused to be read. That counts as a look that brought nothing.
            Transient, ConsentLost: Qonto did not answer, or a person must reconnect it; the postings are due again
                when their lease runs out.
        """
        taken = await self._take(workspace)
        if not taken:
            return 0
        wanted = [posting.attachment_id for posting in taken if posting.attachment_id]
        try:
            read = await self._qonto.by_attachments(workspace, wanted) if wanted else []
        except Rejected:
            await self._conclude(workspace, taken, {})
            raise
        ended = await self._conclude(workspace, taken, {invoice.invoice_id: invoice for invoice in read})
        crashpoint("pusher.after_read_back")
        return ended

    async def _take(self, workspace: UUID) -> list[Posting]:
        """1."""
        async with self._database.transaction(workspace) as tx:
            now = self._clock.now()
            taken = await self._store.take(tx, {State.SETTLED}, now, READ_AT_ONCE)
            lease = now + timedelta(seconds=self._rule.lease_seconds)
            return await self._store.save(tx, [replace(posting, due_at=lease) for posting in taken])

    async def _conclude(self, workspace: UUID, taken: Sequence[Posting], read: Mapping[str, ReadBack]) -> int:
        """3."""
        async with self._database.transaction(workspace) as tx:
            held = await self._store.hold_postings(tx, {posting.record for posting in taken})
            versions = {posting.id: posting.version for posting in held}
            mine = [posting for posting in taken if versions[posting.id] == posting.version]
            tell = Teller(workspace, self._clock.now())
            events: list[Envelope] = []
            changed = [self._judged(tell, posting, read.get(str(posting.invoice_id)), events) for posting in mine]
            await self._store.save(tx, changed)
            await self._log.append(tx, events)
        return sum(posting.due_at is None for posting in changed)

    def _judged(self, tell: Teller, posting: Posting, read: ReadBack | None, events: list[Envelope]) -> Posting:
        told = self._told(tell, posting, read)
        if isinstance(told, Posting):
            return told
        events.append(told.event)
        return told.posting

    def _told(self, tell: Teller, posting: Posting, read: ReadBack | None) -> Told | Posting:
        invoice_id = str(posting.invoice_id)
        if posting.expected is None:
            return tell.unchecked(posting, invoice_id, "not_compared", _NO_TOTAL)
        if posting.attachment_id is None:
            return tell.unchecked(posting, invoice_id, "not_read", _NO_FILE)
        if read is None or not read.analyzed:
            return self._later(tell, posting, invoice_id)
        comparison = compare(posting.expected, read)
        if comparison.differences:
            return tell.differs(posting, invoice_id, comparison.differences)
        if "total" not in comparison.compared:
            return tell.unchecked(posting, invoice_id, "not_compared", _NO_TOTAL)
        return tell.verified(posting, invoice_id)

    def _later(self, tell: Teller, posting: Posting, invoice_id: str) -> Told | Posting:
        looks = posting.looks + 1
        if looks >= self._rule.looks_max:
            return tell.unchecked(posting, invoice_id, "not_read", _NEVER_READ)
        due_at = tell.now + self._rule.pause(looks)
        return replace(posting, looks=looks, due_at=due_at, code="not_read_yet", sentence=_NOT_READ_YET)
