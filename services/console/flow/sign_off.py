"""A person's answer becomes an event, once."""

from __future__ import annotations

from uuid import UUID

from libs.contracts.envelope import enveloped
from libs.contracts.errors import Rejected
from libs.contracts.identity import record_of
from libs.database.port import Database, Transaction
from libs.eventlog.port import EventLog
from libs.runtime.clock import Clock
from services.console.domain.answer import Answer, signed_off
from services.console.domain.view import BillView
from services.console.ports import ViewStore


class SignOff:
    """The queue and the answers to it."""

    def __init__(self, *, database: Database, log: EventLog, store: ViewStore, clock: Clock) -> None:
        self._database = database
        self._log = log
        self._store = store
        self._clock = clock

    async def waiting(self, workspace: UUID, *, limit: int) -> list[BillView]:
        """Bills that wait for a person, longest first."""
        async with self._database.transaction(workspace) as tx:
            return list(await self._store.waiting(tx, limit=limit))

    async def count_waiting(self, workspace: UUID) -> int:
        """How many bills wait for a person."""
        async with self._database.transaction(workspace) as tx:
            return await self._store.count_waiting(tx)

    async def bill(self, workspace: UUID, named: str) -> BillView:
        """The bill that a person names: by record, by Xero's id, or by its number.

        Raises:
            Rejected: `no_such_bill`, or `several_bills` when the number is not the only one.
        """
        async with self._database.transaction(workspace) as tx:
            return await self._found(tx, named)

    async def answer(
        self,
        workspace: UUID,
        named: str,
        answer: Answer,
        *,
        by: str,
        invoice_id: str | None = None,
        note: str | None = None,
    ) -> BillView:
        """Put an answer on record.

        Raises:
            Rejected: As `bill` and `signed_off` say.
            Stale: Somebody else has just answered.
        """
        async with self._database.transaction(workspace) as tx:
            view = await self._found(tx, named)
            sign_off = signed_off(view, answer, invoice_id=invoice_id, by=by, note=note)
            event = enveloped(
                sign_off,
                workspace=workspace,
                record=view.record,
                cause=sign_off.decision,
                occurred_at=self._clock.now(),
            )
            answered = view.model_copy(update={"answered": sign_off.generation})
            await self._store.save(tx, [answered])
            await self._log.append(tx, [event])
        return answered

    async def _found(self, tx: Transaction, named: str) -> BillView:
        record = named if "/" in named else record_of("xero", "bill", named)
        found = (await self._store.load(tx, [record])).get(record)
        if found is not None:
            return found
        numbered = await self._store.numbered(tx, named)
        if len(numbered) > 1:
            ids = ", ".join(view.record.rsplit("/", 1)[-1] for view in numbered[:5])
            raise Rejected(f"{len(numbered)} bills have this number; name one by its id: {ids}", code="several_bills")
        if not numbered:
            raise Rejected("No bill of this workspace has this id or number.", code="no_such_bill")
        return (await self._store.load(tx, [numbered[0].record]))[numbered[0].record]
