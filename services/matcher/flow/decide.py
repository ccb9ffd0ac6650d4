"""Job `matcher.decide`: decides the bills that are due, some hundred at a time.

A batch is one transaction, in these steps:

1. Take due bills that nobody else holds, in a workspace whose first windows were seen to their end on both sides.
2. Read who shares their keys; read those supplier invoices; keep the plausible ones.
3. Read who shares the keys of these: the rivals, found in the database and never only in the batch.
4. Decide each bill, purely.
5. Claim and release supplier invoices. Who loses a race for one stays due and is decided again.
6. Write decisions, bills and events.
7. Open the bills that wait for what was released; last, so that one of this very batch is opened too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

import structlog

from libs.contracts.envelope import Envelope, enveloped
from libs.contracts.errors import Stale, Transient, WellError
from libs.contracts.events import MatchDecided
from libs.contracts.identity import derived_id, record_of
from libs.database.port import Database, Transaction
from libs.eventlog.port import EventLog
from libs.runtime.clock import Clock, is_within
from libs.runtime.worker import Worker
from services.matcher.domain.compare import Compared
from services.matcher.domain.decide import decide
from services.matcher.domain.eligible import expected_of
from services.matcher.domain.model import MODEL
from services.matcher.domain.neighbourhood import Neighbourhood
from services.matcher.domain.policy import Policy
from services.matcher.domain.standing import BillRow, decided, is_news, outcome_of
from services.matcher.ports import Claim, DecisionStore, RecordStore, WindowStore, Workspaces

IDLE_SECONDS: Final = 0.2
"""Seconds between looks when nothing is due: a sign-off is decided well within its second."""

REST: Final = timedelta(minutes=1)
"""How long a workspace rests whose rows do not open: a person has to do something, and a look a minute is cheap."""

_LONG_AGO: Final = datetime.min.replace(tzinfo=UTC)

_PROVIDERS: Final = frozenset({"xero", "qonto"})

Plausible = Mapping[str, list[tuple[str, Compared]]]


@dataclass(frozen=True, slots=True)
class _Moved:
    """What came of moving claims.

    Attributes:
        raced: Bills whose supplier invoice somebody else claimed meanwhile.
        invoices: Supplier invoices that were freed or given away for good, each with the bill that did it.
        bills: Bills that lost theirs to a person's word, each with the bill that got it.
    """

    raced: frozenset[str]
    invoices: Mapping[str, str]
    bills: Mapping[str, str]


class Decide:
    """The job."""

    def __init__(
        self,
        *,
        database: Database,
        log: EventLog,
        clock: Clock,
        policy: Policy,
        records: RecordStore,
        decisions: DecisionStore,
        windows: WindowStore,
        workspaces: Workspaces,
        batch_bills: int,
    ) -> None:
        self._database = database
        self._log = log
        self._clock = clock
        self._policy = policy
        self._records = records
        self._decisions = decisions
        self._windows = windows
        self._workspaces = workspaces
        self._batch_bills = batch_bills
        self._rests_since: dict[UUID, datetime] = {}

    @property
    def worker(self) -> Worker:
        """The job, as a process runs it."""
        return Worker("matcher.decide", self.step, IDLE_SECONDS)

    async def step(self) -> int:
        """Decide one batch of every workspace; returns how many bills were decided.

        A workspace that fails holds up no other. One whose rows do not open, for a lost key or altered bytes, rests for
        a while: trying it at once would be as vain.

        Raises:
            Transient, Stale: Nothing could be decided anywhere, and in some workspace for this reason.
        """
        decided_bills = 0
        lost: Transient | Stale | None = None
        for workspace in await self._workspaces.workspaces():
            if is_within(REST, since=self._rests_since.get(workspace, _LONG_AGO), now=self._clock.now()):
                continue
            try:
                decided_bills += await self.decide_some(workspace)
            except (Transient, Stale) as error:
                lost = error
            except WellError as error:
                self._rests_since[workspace] = self._clock.now()
                structlog.get_logger().error("matcher.rests", workspace=str(workspace), why=error.sentence)
        if lost is not None and not decided_bills:
            raise lost
        return decided_bills

    async def decide_some(self, workspace: UUID) -> int:
        """Decide one batch of a workspace.

        Raises:
            Transient: The transaction lost a race; the same bills are due still.
        """
        async with self._database.transaction(workspace) as tx:
            if not await self._windows.complete(tx) >= _PROVIDERS:
                return 0
            due = await self._records.hold_due_bills(tx, self._batch_bills)
            if not due:
                return 0
            near, plausible = await self._read_around(tx, due)
            said = {row.bill_id: self._decide(near, row, plausible) for row in due}
            await self._write(tx, due, said)
            return len(due)

    async def _read_around(self, tx: Transaction, due: Sequence[BillRow]) -> tuple[Neighbourhood, Plausible]:
        near = Neighbourhood(bills={row.bill_id: row for row in due})
        near.holders = await self._records.holders(tx, sorted({key for row in due for key in near.keys_of_bill(row)}))
        chosen = {row.answer.invoice_id for row in due if row.answer and row.answer.invoice_id}
        met = chosen.union(*(near.invoices_met(row) for row in due))
        near.invoices = await self._records.invoices(tx, sorted(met))
        plausible = {row.bill_id: near.plausible(row) for row in due}
        wanted = sorted(chosen.union(id_ for options in plausible.values() for id_, _ in options))
        near.claims = {id_: claim.bill_id for id_, claim in (await self._decisions.claims(tx, wanted)).items()}
        await self._read_rivals(tx, near, due, plausible)
        return near, plausible

    async def _read_rivals(
        self, tx: Transaction, near: Neighbourhood, due: Sequence[BillRow], plausible: Plausible
    ) -> None:
        wanted = {(id_, row.heeds_until) for row in due for id_, _ in plausible[row.bill_id]}
        keys = {key for id_, _ in wanted for key in near.keys_of_invoice(id_)}
        near.holders |= await self._records.holders(tx, sorted(keys - near.holders.keys()))
        rivals = {id_ for wanted_id, until in wanted for id_ in near.bills_met(near.invoices[wanted_id], until)}
        peers = {id_ for row in due for id_ in near.peers(row)}
        others = rivals | peers | set(near.claims.values())
        near.bills |= await self._records.bills(tx, sorted(others - near.bills.keys()))
        near.holders |= await self._records.holders(tx, near.unread_peer_keys(near.bills.values()))

    def _decide(self, near: Neighbourhood, row: BillRow, plausible: Plausible) -> MatchDecided:
        decision = decide(near.case_of(row, plausible[row.bill_id]), self._policy)
        return MatchDecided(
            verdict=decision.verdict,
            reason=decision.reason,
            sentence=decision.sentence,
            generation=row.generation + 1,
            bill_sha256=row.basis_sha256,
            chosen=decision.chosen,
            confidence=decision.confidence,
            none_confidence=decision.none_confidence,
            candidates=decision.candidates,
            expected=expected_of(row.bill),
            model=MODEL,
            policy=self._policy.id,
        )

    async def _write(self, tx: Transaction, due: Sequence[BillRow], said: Mapping[str, MatchDecided]) -> None:
        moved = await self._move_claims(tx, due, said)
        rows, news = [], {}
        for row in due:
            if row.bill_id in moved.raced:
                continue
            decision = said[row.bill_id]
            outcome = outcome_of(decision)
            if not is_news(row, decision, outcome):
                rows.append(replace(row, is_due=False))
                continue
            rows.append(decided(row, decision, outcome))
            news[row.bill_id] = decision
        await self._records.put_bills(tx, rows)
        await self._decisions.put_decisions(tx, news)
        causes = {row.bill_id: row.cause for row in due}
        events = {id_: self._event(tx, id_, said_now, causes[id_]) for id_, said_now in news.items()}
        await self._log.append(tx, list(events.values()))
        await self._open(tx, moved, _causes_of(due, events))

    async def _move_claims(self, tx: Transaction, due: Sequence[BillRow], said: Mapping[str, MatchDecided]) -> _Moved:
        """Make the claims follow the decisions."""
        posted = {row.posted.invoice_id for row in due if row.posted}
        linked = {id_: decision for id_, decision in sorted(said.items()) if decision.verdict == "link"}
        signed = {id_: d.chosen[0] for id_, d in linked.items() if d.reason == "signed_off"}
        facts = [Claim(invoice_id, id_, "signed_off") for id_, invoice_id in signed.items() if invoice_id not in posted]
        matches = [Claim(d.chosen[0], id_, "matched") for id_, d in linked.items() if d.reason == "at_qonto"]
        kept = {id_: linked[id_].chosen[0] if id_ in linked else None for id_ in said}
        by_fact = {claim.invoice_id: claim.bill_id for claim in facts}
        released = await self._decisions.release(tx, kept)
        lost = await self._decisions.seize(tx, facts)
        taken = await self._decisions.claim(tx, matches)
        return _Moved(
            raced=frozenset(claim.bill_id for claim in matches if claim.invoice_id not in taken),
            invoices={claim.invoice_id: claim.bill_id for claim in (*released, *facts)},
            bills={bill_id: by_fact[id_] for id_, bill_id in lost.items()},
        )

    async def _open(self, tx: Transaction, moved: _Moved, causes: Mapping[str, UUID]) -> None:
        """Open the bills that lost their supplier invoice, and those that wait near one freed or given away."""
        invoices = await self._records.invoices(tx, sorted(moved.invoices))
        keys = {key: causes[moved.invoices[id_]] for id_, row in invoices.items() for key in sorted(row.keys)}
        await self._records.open_sharing(tx, keys)
        await self._records.open_bills(tx, {id_: causes[by] for id_, by in sorted(moved.bills.items())})

    def _event(self, tx: Transaction, bill_id: str, decision: MatchDecided, cause: UUID) -> Envelope:
        record = record_of("xero", "bill", bill_id)
        now = self._clock.now()
        return enveloped(decision, workspace=tx.workspace, record=record, cause=cause, occurred_at=now)


def _causes_of(due: Sequence[BillRow], events: Mapping[str, Envelope]) -> dict[str, UUID]:
    """What opens other bills on behalf of each of these: its decision, or an id of its own where nothing was said.

    Never the cause of the bill itself: the other bill may have been decided for that one already, and a second
    decision with the same cause would be the same event.
    """
    return {
        row.bill_id: events[row.bill_id].id if row.bill_id in events else derived_id(row.cause, row.bill_id, "freed")
        for row in due
    }
