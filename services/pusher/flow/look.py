"""Looking at Qonto before anything is sent twice.

One listing answers for every posting of a workspace that is in doubt:

1. Take what is in doubt: unknown and due, or sent by a pusher whose lease ran out. What was sent becomes unknown.
2. List the supplier invoices created since the earliest of them was first sent, outside any transaction.
3. Compare file names, each of which carries its posting's token. Found once: settled. Found twice: a person is told.
   Not found: the retry rule says whether that is believable yet, and whether to send again, withdraw or give up.
4. What is sent again is put on record as sent in the same transaction, and leaves at once: never on an old look.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from libs.contracts.errors import ConsentLost, Rejected, Stale, Transient
from libs.contracts.identity import is_another_account
from libs.contracts.upload_name import token_of
from libs.database.port import Database
from libs.eventlog.port import EventLog
from libs.runtime.clock import Clock
from services.pusher.domain.comparing import ReadBack
from services.pusher.domain.desk import Desk
from services.pusher.domain.posting import Posting, State
from services.pusher.domain.retrying import Next, RetryRule
from services.pusher.domain.telling import Teller
from services.pusher.flow.desks import lay_out, put_away
from services.pusher.ports import QontoReader, Store

IN_DOUBT_AT_ONCE: Final = 200
"""Postings that one listing answers for. A pusher that dies leaves eight; 200 are a day of lost answers."""

IN_DOUBT: Final = frozenset({State.SENT, State.UNKNOWN})

_DIED: Final = (
    "The pusher stopped before Qonto's answer was on record. Qonto is looked at before anything is sent again."
)
_GONE: Final = "The bill was decided anew; a look showed that Qonto does not have it, so it was not sent again."
_TWICE: Final = "Qonto has this document twice. Reject one of the two there; Well will not touch either."
_NEVER_ARRIVED: Final = (
    "Qonto's answer was lost again and again, and Qonto does not have the document. Approve it to try anew."
)
_NOT_KNOWN: Final = (
    "Whether Qonto has this document could not be found out. Look there for its number before approving it."
)
_OTHER_ACCOUNT: Final = (
    "The workspace was connected to another Qonto organization before the answer came. "
    "Look in the earlier one for this document before approving it."
)


@dataclass(frozen=True)
class _Sight:
    """What a look showed; no invoices at all, None, when Qonto could not be asked."""

    account: str
    asked_at: datetime
    invoices: Sequence[ReadBack] | None


class Look:
    """Finds out what became of postings in doubt."""

    def __init__(
        self, *, database: Database, log: EventLog, store: Store, qonto: QontoReader, clock: Clock, rule: RetryRule
    ) -> None:
        self._database = database
        self._log = log
        self._store = store
        self._qonto = qonto
        self._clock = clock
        self._rule = rule

    async def look(self, workspace: UUID, account: str, *, room: int) -> tuple[int, list[Posting]]:
        """Look once, and give how many postings were in doubt and those on record as sent again, at most `room`."""
        taken = await self._take(workspace)
        if not taken:
            return 0, []
        sight = await self._list(workspace, account, [posting for posting in taken if _was_sent_to(posting, account)])
        return len(taken), await self._conclude(workspace, taken, sight, room)

    async def _take(self, workspace: UUID) -> list[Posting]:
        """1."""
        async with self._database.transaction(workspace) as tx:
            now = self._clock.now()
            taken = await self._store.take(tx, IN_DOUBT, now, IN_DOUBT_AT_ONCE)
            tell, lease = Teller(workspace, now), now + timedelta(seconds=self._rule.lease_seconds)
            died = [posting for posting in taken if posting.state is State.SENT]
            told = [tell.lost(posting, _DIED, due_at=lease, answers=0) for posting in died]
            held = [replace(posting, due_at=lease) for posting in taken if posting.state is State.UNKNOWN]
            postings = await self._store.save(tx, [posting for posting, _ in told] + held)
            await self._log.append(tx, [event for _, event in told])
            return postings

    async def _list(self, workspace: UUID, account: str, postings: Sequence[Posting]) -> _Sight:
        """2."""
        asked_at = self._clock.now()
        sent = [posting.first_sent_at for posting in postings if posting.first_sent_at]
        if not sent:
            return _Sight(account, asked_at, ())
        since = self._rule.look_from(min(sent), asked_at)
        try:
            async with asyncio.timeout(self._rule.request_seconds):
                return _Sight(account, asked_at, await self._qonto.created_since(workspace, account, since))
        except (Transient, ConsentLost, Rejected, Stale, TimeoutError):
            return _Sight(account, asked_at, None)

    async def _conclude(self, workspace: UUID, taken: Sequence[Posting], sight: _Sight, room: int) -> list[Posting]:
        """3. and 4."""
        again: list[UUID] = []
        async with self._database.transaction(workspace) as tx:
            now = self._clock.now()
            desk = await lay_out(self._store, tx, {posting.record for posting in taken}, now)
            for posting in taken:
                if desk.posting(posting.id).version != posting.version or (posting.due_at or now) <= now:
                    continue  # this look took longer than its lease: it is old, and somebody else may have looked
                if not _was_sent_to(posting, sight.account):
                    desk.put(desk.tell.rejected(posting, "account_changed", _OTHER_ACCOUNT))
                elif sight.invoices is None:
                    self._later(desk, posting)
                elif self._judge(desk, posting, sight.invoices, sight.asked_at, may_send=len(again) < room):
                    again.append(posting.id)
                desk.go_on(posting.record, desk.posting(posting.id).last_event)
            saved = await put_away(self._store, tx, desk)
            await self._log.append(tx, desk.events)
        return [saved[posting] for posting in again]

    def _judge(
        self, desk: Desk, posting: Posting, seen: Sequence[ReadBack], asked_at: datetime, *, may_send: bool
    ) -> bool:
        """Whether the posting is sent again now."""
        token = token_of(posting.id)
        found = {read.invoice_id: read for read in seen if token in (read.file_name or "")}
        if len(found) > 1:
            desk.put(desk.tell.rejected(posting, "posted_twice", _TWICE))
            return False
        if found:
            (read,) = found.values()
            desk.put(desk.tell.settled(posting, read.invoice_id, read.attachment_id, "look"))
            return False
        match self._rule.after_nothing_found(posting, asked_at=asked_at, wanted=desk.wants(posting)):
            case Next.LOOK_AGAIN:
                self._later(desk, posting, not_after=self._rule.believable_at(posting, asked_at))
            case Next.WITHDRAW:
                desk.put(desk.tell.withdrawn(posting, "overtaken", _GONE))
            case Next.GIVE_UP:
                desk.put(desk.tell.rejected(posting, "gave_up", _NEVER_ARRIVED))
            case Next.SEND_AGAIN if may_send:
                lease = self._clock.now() + timedelta(seconds=self._rule.lease_seconds)
                desk.put(desk.tell.sent(posting, str(posting.account), lease_until=lease))
                return True
            case Next.SEND_AGAIN:
                desk.keep(replace(posting, due_at=self._clock.now()))
        return False

    def _later(self, desk: Desk, posting: Posting, *, not_after: datetime | None = None) -> None:
        looks = posting.looks + 1
        if looks >= self._rule.looks_max:
            desk.put(desk.tell.rejected(posting, "outcome_unknown", _NOT_KNOWN))
            return
        due_at = self._clock.now() + self._rule.pause(looks)
        desk.keep(replace(posting, looks=looks, due_at=min(due_at, not_after) if not_after else due_at))


def _was_sent_to(posting: Posting, account: str) -> bool:
    return posting.account is not None and not is_another_account(posting.account, account)
