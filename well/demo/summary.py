"""How a run ended, counted from the event logs on our side and from the stand-ins on the other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from libs.contracts.envelope import Envelope
from libs.contracts.events import (
    MatchDecided,
    PostDiffers,
    PostIntended,
    PostRejected,
    PostSettled,
    PostUnchecked,
    PostVerified,
    PostWithdrawn,
    RecordPulled,
)
from libs.contracts.identity import provider_id_of
from libs.eventlog.port import LogReader
from well.demo.company import Truth
from well.demo.standins import Standins

_LONG_AGO: Final = datetime.min.replace(tzinfo=UTC)

_TOPICS: Final = (
    ("ingest", "xero.raw.v1"),
    ("ingest", "qonto.raw.v1"),
    ("matcher", "match.decided.v1"),
    ("pusher", "qonto.posted.v1"),
)

_SLICE: Final = 4000
"""Events read at a time."""

_PAGE: Final = 1000
"""Records asked of a stand-in at a time."""


class Summary(BaseModel):
    """The figures of a run.

    Attributes:
        bills: Invoice records in the stand-in Xero.
        decided: Those with a decision; each has exactly one of the next six ends.
        linked: Qonto had it, and nothing was uploaded.
        posted: Its document is in Qonto as a new supplier invoice.
        review: A person is asked.
        unmatched: Nothing certain was found; tried again when either side changes.
        ineligible: Nothing to do, with the reason on record.
        rejected: To be posted, but its document cannot be; a person is told why.
        verified, differs, unchecked: Of the posted, those whose fields Qonto read as Xero has them, and otherwise; and
            those of which it read nothing that could be compared.
        posted_twice: Bills that the stand-in Qonto holds more than one upload of, counted by upload beyond the first.
        posted_though_held: Posted bills that Qonto had before, against the seeded truth.
        lost: Bills without a decision, or to be posted and neither posted nor rejected.
        wrong_links: Links to another supplier invoice than the bill's own, against the seeded truth.
        seconds: From consent to the end, of this run.
        seconds_to_decide: From consent to the last first decision, pulling included; 0 when none fell into this run.
        records_per_second: Raw records to decisions: contacts, bills and supplier invoices that arrived in this run
            before its last first decision, by the seconds from the first of them to that decision. Reading both
            providers goes on beside it and is in the figure.
        start_seconds: From the start of the process to consent.
    """

    model_config = ConfigDict(frozen=True)

    bills: int
    decided: int
    linked: int
    posted: int
    review: int
    unmatched: int
    ineligible: int
    rejected: int
    verified: int
    differs: int
    unchecked: int
    posted_twice: int
    posted_though_held: int
    lost: int
    wrong_links: int
    seconds: float
    seconds_to_decide: float
    records_per_second: float
    start_seconds: float


@dataclass
class _Ends:
    """What the logs say of each bill."""

    decisions: dict[str, MatchDecided] = field(default_factory=dict)
    bill_of_posting: dict[UUID, str] = field(default_factory=dict)
    settled: dict[str, str] = field(default_factory=dict)
    ended: dict[str, str] = field(default_factory=dict)
    last_first_decision: datetime = _LONG_AGO
    pulled_at: list[datetime] = field(default_factory=list)

    def see(self, event: Envelope) -> None:
        bill, payload = provider_id_of(event.record), event.payload
        if isinstance(payload, RecordPulled):
            self.pulled_at.append(event.occurred_at)
        elif isinstance(payload, MatchDecided):
            if payload.generation == 1:
                self.last_first_decision = max(self.last_first_decision, event.occurred_at)
            known = self.decisions.get(bill)
            if known is None or payload.generation > known.generation:
                self.decisions[bill] = payload
        elif isinstance(payload, PostIntended):
            self.bill_of_posting[payload.posting] = bill
        elif isinstance(payload, PostSettled):
            self.settled[bill] = payload.invoice_id
            self.ended[bill] = "settled"
        elif isinstance(payload, PostRejected | PostWithdrawn | PostVerified | PostDiffers | PostUnchecked):
            self.ended[bill] = payload.type.removeprefix("Post").lower()

    def decided_after(self, consent: datetime) -> float:
        """Seconds from an instant to the last first decision; 0 when that was before."""
        return max(0.0, (self.last_first_decision - consent).total_seconds())

    def records_per_second(self, consent: datetime) -> float:
        """Records that arrived since, by the seconds from the first of them to the last first decision."""
        arrived = [at for at in self.pulled_at if consent <= at <= self.last_first_decision]
        seconds = self.decided_after(min(arrived)) if arrived else 0.0
        return len(arrived) / seconds if seconds else 0.0


async def summarise(
    reader: LogReader,
    standins: Standins,
    truth: Truth,
    *,
    tenant: str,
    workspace: UUID,
    consent: datetime,
    seconds: float,
    start_seconds: float,
) -> Summary:
    """Count a run."""
    ends = _Ends()
    for log, topic in _TOPICS:
        for event in await _events(reader, log, topic):
            if event.workspace == workspace:
                ends.see(event)
    bills = await _bills(standins, tenant)
    uploads = await _uploads(standins)
    posted_to_qonto = Counter(ends.bill_of_posting.get(UUID(up["idempotency_key"]), up["id"]) for up in uploads)
    verdicts = Counter(decision.verdict for bill, decision in ends.decisions.items() if bill in bills)
    to_post = [bill for bill, decision in ends.decisions.items() if decision.verdict == "post"]
    rejected = [bill for bill in to_post if ends.ended.get(bill) == "rejected"]
    held = {up["id"] for up in uploads}
    posted = [bill for bill in to_post if bill not in rejected and ends.settled.get(bill) in held]
    links = [(bill, decision.chosen[0]) for bill, decision in ends.decisions.items() if decision.verdict == "link"]
    return Summary(
        bills=len(bills),
        decided=sum(verdicts.values()),
        linked=verdicts["link"],
        posted=len(posted),
        review=verdicts["review"],
        unmatched=verdicts["unmatched"],
        ineligible=verdicts["ineligible"],
        rejected=len(rejected),
        verified=sum(ends.ended.get(bill) == "verified" for bill in posted),
        differs=sum(ends.ended.get(bill) == "differs" for bill in posted),
        unchecked=sum(ends.ended.get(bill) == "unchecked" for bill in posted),
        posted_twice=sum(count - 1 for count in posted_to_qonto.values()),
        posted_though_held=sum(bill in truth.in_qonto for bill in posted),
        lost=len(bills) - sum(verdicts.values()) + len(to_post) - len(posted) - len(rejected),
        wrong_links=sum(not truth.is_right_link(bill, invoice) for bill, invoice in links),
        seconds=round(seconds, 2),
        seconds_to_decide=round(ends.decided_after(consent), 2),
        records_per_second=round(ends.records_per_second(consent), 1),
        start_seconds=round(start_seconds, 2),
    )


async def _events(reader: LogReader, log: str, topic: str) -> list[Envelope]:
    """Every event of a topic, in order within each bucket."""
    cursor: dict[int, int] = {}
    events: list[Envelope] = []
    while (piece := await reader.read(log, cursor, topic=topic, limit=_SLICE)).through:
        cursor.update(piece.through)
        events += [(await reader.open(raw)).envelope for raw in piece.deliveries]
    return events


async def _bills(standins: Standins, tenant: str) -> set[str]:
    bills: set[str] = set()
    page = 1
    while True:
        answer = await standins.ask_xero("invoices", tenant=tenant, page=page, page_size=_PAGE)
        bills |= {record["InvoiceID"] for record in answer["records"]}
        if page * _PAGE >= answer["total"]:
            return bills
        page += 1


async def _uploads(standins: Standins) -> Sequence[dict[str, Any]]:
    return [up for up in (await standins.ask_qonto("invoices"))["invoices"] if up["uploaded"]]
