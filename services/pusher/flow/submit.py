"""The job `pusher.submit`: sends what was intended, once.

For each workspace with something due, in this order:

1. Take postings. Those in doubt are looked for first (look.py), and sent again only if Qonto does not have them; then
   intended ones, up to the number of requests at a time. Each is leased for longer than its request can take.
2. Put `sent` with the attempt on record, before any request leaves. From here on Qonto may have it.
3. Upload, one file a request: the answer can then be no other file's (docs/adr/0003).
4. Read the outcome from the body; Qonto answers 200 for refusals too.
5. Put the outcome on record with its event, even while being stopped.

Dying between any two of these is told in domain/posting.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Final
from uuid import UUID

from libs.blobs.port import BlobStore
from libs.contracts.errors import Transient
from libs.database.port import Database
from libs.eventlog.port import EventLog
from libs.runtime.clock import Clock
from libs.runtime.crashpoints import crashpoint
from libs.runtime.rounds import Rounds, all_of
from services.pusher.domain.desk import Desk
from services.pusher.domain.posting import Posting, State
from services.pusher.domain.retrying import RetryRule
from services.pusher.domain.telling import Teller
from services.pusher.flow.desks import lay_out, put_away
from services.pusher.flow.finished import finished
from services.pusher.flow.look import IN_DOUBT, Look
from services.pusher.flow.upload import Lost, NoEffect, Outcome, Uploader
from services.pusher.ports import Qonto, Refused, Store, Uploaded

REQUESTS_AT_ONCE: Final = 8
"""Uploads at a time in one workspace. At half a second each that is 16 a second; and eight is all that a kill can leave
in doubt."""

_REFUSED_FOR_DAYS: Final = "Qonto took no request for this document for days. Approve it to try anew."


class Submit:
    """Sends what is due."""

    def __init__(
        self,
        *,
        database: Database,
        log: EventLog,
        store: Store,
        qonto: Qonto,
        blobs: BlobStore,
        rounds: Rounds,
        clock: Clock,
        rule: RetryRule,
    ) -> None:
        self._database = database
        self._log = log
        self._store = store
        self._qonto = qonto
        self._clock = clock
        self._rule = rule
        self._rounds = rounds
        self._look = Look(database=database, log=log, store=store, qonto=qonto, clock=clock, rule=rule)
        self._uploader = Uploader(qonto, blobs, clock, rule)

    async def step(self) -> int:
        """Do what is due in every workspace, and give how many postings were taken up."""
        return await self._rounds.go(self.submit)

    async def submit(self, workspace: UUID) -> int:
        """Do what is due in one workspace.

        Raises:
            Transient: Some request had no effect, or no answer: the workspace rests a little. All is on record.
            ConsentLost: A person must reconnect Qonto; nothing was changed.
        """
        async with self._database.transaction(workspace) as tx:
            if not await self._store.any_due(tx, IN_DOUBT | {State.INTENDED}, self._clock.now()):
                return 0
        account = await self._qonto.account(workspace)
        # 1. and 2.
        doubted, again = await self._look.look(workspace, account, room=REQUESTS_AT_ONCE)
        fresh = await self._take(workspace, account, REQUESTS_AT_ONCE - len(again))
        # 3. to 5.
        sends = [self._send(workspace, posting, doubted=True) for posting in again]
        sends += [self._send(workspace, posting, doubted=False) for posting in fresh]
        outcomes = await finished(all_of(sends))
        _slow_down(outcomes)
        return doubted + len(fresh)

    async def _take(self, workspace: UUID, account: str, room: int) -> list[Posting]:
        """1. and 2. for intended postings, in one transaction."""
        if not room:
            return []
        async with self._database.transaction(workspace) as tx:
            now = self._clock.now()
            taken = await self._store.take(tx, {State.INTENDED}, now, room)
            if not taken:
                return []
            crashpoint("pusher.after_intent")
            tell, lease = Teller(workspace, now), now + timedelta(seconds=self._rule.lease_seconds)
            told = [tell.sent(posting, account, lease_until=lease) for posting in taken]
            saved = await self._store.save(tx, [posting for posting, _ in told])
            await self._log.append(tx, [event for _, event in told])
            crashpoint("pusher.before_sent")
        crashpoint("pusher.after_sent")
        return saved

    async def _send(self, workspace: UUID, posting: Posting, *, doubted: bool) -> Outcome:
        """3. to 5. for one posting. `doubted` says that the answer to an earlier attempt is missing."""
        outcome = await self._uploader.upload(workspace, posting)
        crashpoint("pusher.after_answer")
        async with self._database.transaction(workspace) as tx:
            desk = await lay_out(self._store, tx, [posting.record], self._clock.now())
            if desk.posting(posting.id).version != posting.version:
                return outcome  # the lease ran out meanwhile; whoever took it over finds by a look what became of it
            self._lay_down(desk, posting, outcome, doubted=doubted)
            desk.go_on(posting.record, desk.posting(posting.id).last_event)
            await put_away(self._store, tx, desk)
            await self._log.append(tx, desk.events)
            crashpoint("pusher.before_settled")
        crashpoint("pusher.after_settled")
        return outcome

    def _lay_down(self, desk: Desk, posting: Posting, outcome: Outcome, *, doubted: bool) -> None:
        soon = self._clock.now() + self._rule.pause(1)
        match outcome:
            case Uploaded(invoice_id, attachment_id):
                desk.put(desk.tell.settled(posting, invoice_id, attachment_id, "answer"))
            case Refused(code, sentence):
                desk.put(desk.tell.rejected(posting, code, sentence))
            case Lost(sentence):
                desk.put(desk.tell.lost(posting, sentence, due_at=soon))
            case NoEffect() if posting.attempt >= self._rule.attempts_max and not doubted:
                desk.put(desk.tell.rejected(posting, "gave_up", _REFUSED_FOR_DAYS))
            case NoEffect(sentence, seconds):
                due_at = self._clock.now() + self._rule.pause_after_refusal(posting.attempt, seconds)
                if doubted:
                    desk.put(desk.tell.lost(posting, sentence, due_at=due_at, answers=0))
                else:
                    desk.keep(desk.tell.put_back(posting, sentence, due_at=due_at))


def _slow_down(outcomes: Sequence[Outcome]) -> None:
    """Let the workspace rest when Qonto did not answer, or not now, so that a backlog is not run against a wall.

    Raises:
        Transient: It did not.
    """
    unanswered = [outcome for outcome in outcomes if isinstance(outcome, Lost | NoEffect)]
    if unanswered:
        asked = [outcome.retry_after_seconds or 0 for outcome in unanswered if isinstance(outcome, NoEffect)]
        raise Transient(unanswered[0].sentence, retry_after_seconds=max(asked, default=0) or None)
