"""Group `ingest.documents`: a decision to post asks for the bill's document; any other decision calls that off.

Two Xero calls a bill, so only for bills that need it. The fetching itself is a job of its own (fetch.py): here only
rows change.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from libs.bus.port import Subscription
from libs.contracts.envelope import Envelope
from libs.contracts.events import MatchDecided
from libs.database.port import Transaction
from libs.eventlog.port import Delivery
from services.ingest.domain.kept import DocumentJob
from services.ingest.ports import DocumentJobs


@dataclass(frozen=True)
class DocumentRequests:
    """Keeps the document jobs in step with the newest decision of each bill."""

    jobs: DocumentJobs

    def subscription(self) -> Subscription:
        """The group."""
        return Subscription("ingest.documents", frozenset({"match.decided.v1"}), self.handle)

    async def handle(self, tx: Transaction, batch: Sequence[Delivery]) -> Sequence[Envelope]:
        """Ask or cancel by the last decision of each bill in the batch; says nothing itself."""
        newest: dict[str, tuple[Envelope, MatchDecided]] = {}
        for delivery in batch:
            if isinstance(delivery.envelope.payload, MatchDecided):
                newest[delivery.envelope.record] = (delivery.envelope, delivery.envelope.payload)
        asked = [_job(envelope, decided) for envelope, decided in newest.values() if decided.verdict == "post"]
        others = {envelope.record: each.generation for envelope, each in newest.values() if each.verdict != "post"}
        if asked:
            await self.jobs.ask(tx, asked)
        if others:
            await self.jobs.cancel(tx, others)
        return ()


def _job(envelope: Envelope, decided: MatchDecided) -> DocumentJob:
    return DocumentJob(
        record=envelope.record,
        generation=decided.generation,
        decision=envelope.id,
        due_at=envelope.occurred_at,
        attempts=0,
    )
