"""What the matcher knows of a bill and of a supplier invoice, and how each event changes it.

A bill is *due* when it must be decided again. It becomes due when what a decision rests on has changed, when a person
answers, or when a supplier invoice or a rival it waits for changes. It stays as decided otherwise. One rule needs its
reason: a bill decided `post` is not opened again by a supplier invoice that turns up at Qonto. The posting may have
been sent, the newcomer may be its very own result seen early, and a `link` would hide an upload that happened; so it
waits until the posting has settled, or was rejected. A change of the bill itself opens it at any time.

The first decision of a bill rests on what the providers and people said, and of Well's own doings only on those that
were done when the bill came: what Well posts meanwhile for bills beside it says nothing that these bills do not say.
So it does not matter which of them is decided first, nor how long events take. What does matter, since it must: a
supplier invoice, a bill beside it or a person's answer that comes while the bill waits to be decided counts at once,
for a bill that Qonto turns out to have must not be posted.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final, Literal
from uuid import UUID

import orjson

from libs.contracts.entities import Bill, QontoInvoice
from libs.contracts.events import ExpectedFields, MatchDecided, Verdict
from libs.contracts.upload_name import is_upload_name
from services.matcher.domain.after_posting import Posted
from services.matcher.domain.blocking import keys_of
from services.matcher.domain.eligible import basis_of, is_eligible
from services.matcher.domain.option import REFUSED
from services.matcher.domain.side import side_of
from services.matcher.domain.sign_off import Answer

_EVER: Final = datetime.max.replace(tzinfo=UTC)

PostingState = Literal["none", "open", "settled", "rejected", "withdrawn"]

WAITING: Final[frozenset[Verdict]] = frozenset({"review", "unmatched"})
"""Verdicts that a change at Qonto opens again."""


@dataclass(frozen=True, slots=True)
class BillRow:
    """A bill and where it stands.

    Attributes:
        bill_id: Xero's id.
        version: The version last learnt.
        bill: Its fields; None when they cannot be read.
        withdrawn: Why Xero took it back, if it did.
        said_at: When what a decision rests on was said.
        basis_sha256: Of all that a decision rests on.
        is_due: It must be decided again.
        cause: The event that made it due last.
        generation: Decisions so far.
        verdict: The standing decision.
        outcome_sha256: Of the standing decision without its generation: an equal one is not said twice.
        posting: How far its posting is.
        posting_generation: The decision that the posting carries out.
        posted: What it was posted as.
        chosen_by_person: The supplier invoice a person linked it to, while that stands.
        answer: What a person said last.
    """

    bill_id: str
    version: int
    bill: Bill | None
    withdrawn: str | None
    said_at: datetime
    basis_sha256: str
    is_due: bool
    cause: UUID
    generation: int = 0
    verdict: Verdict | None = None
    outcome_sha256: str | None = None
    posting: PostingState = "none"
    posting_generation: int = 0
    posted: Posted | None = None
    chosen_by_person: str | None = None
    answer: Answer | None = None

    @property
    def fixed_invoice_id(self) -> str | None:
        """The supplier invoice that is this bill's as a fact, not by a model's guess."""
        return self.posted.invoice_id if self.posted else self.chosen_by_person

    @property
    def heeds_until(self) -> datetime:
        """Of what Well did itself, what was done until then counts as evidence for this bill."""
        return self.said_at if self.verdict is None else _EVER

    def fixed_by(self, instant: datetime) -> str | None:
        """The same as `fixed_invoice_id` had been at an instant, as far as Well's own postings go."""
        return self.posted.invoice_id if self.posted and self.posted.at <= instant else self.chosen_by_person

    @property
    def is_opened_by_invoices(self) -> bool:
        """Whether a new or changed supplier invoice makes it due."""
        if self.fixed_invoice_id is not None:
            return False
        return self.verdict in WAITING or (self.verdict == "post" and self.posting == "rejected")

    @property
    def keys(self) -> frozenset[str]:
        """Its blocking keys; a bill that takes no part has none."""
        if self.bill is None or not is_eligible(self.bill, self.withdrawn):
            return frozenset()
        return frozenset(keys_of(side_of(self.bill)))


@dataclass(frozen=True, slots=True)
class InvoiceRow:
    """A supplier invoice as Qonto last had it. `is_withdrawn` when somebody deleted it there."""

    invoice_id: str
    version: int
    invoice: QontoInvoice
    is_withdrawn: bool = False

    @property
    def uploaded_at(self) -> datetime | None:
        """When Well uploaded it; None when it was somebody else, or Qonto does not say when."""
        return self.invoice.created_at if is_upload_name(self.invoice.file_name) else None

    @property
    def basis(self) -> tuple[object, ...]:
        """All of it that a decision rests on; payment and approval at Qonto are not."""
        skipped = {"kind", "due_date", "file_name", "attachment_id", "is_einvoice", "has_duplicates"}
        skipped |= {"created_at", "analyzed_at", "status"}
        fields = self.invoice.model_dump(exclude=skipped)
        return (*fields.items(), self.is_gone)

    @property
    def is_gone(self) -> bool:
        """Whether somebody deleted, rejected or discarded it at Qonto, so that no bill can be it any more."""
        return self.is_withdrawn or self.invoice.status in REFUSED

    @property
    def keys(self) -> frozenset[str]:
        """Its blocking keys. A rejected one keeps them: a bill that finds it must not be posted unseen."""
        return frozenset(keys_of(side_of(self.invoice)))


def learnt(
    known: BillRow | None,
    bill_id: str,
    *,
    bill: Bill | None,
    withdrawn: str | None,
    version: int,
    cause: UUID,
    at: datetime,
) -> BillRow:
    """The bill after Xero's newest words, said at this instant; due when what a decision rests on has changed."""
    kept = bill if bill is not None or withdrawn is None or known is None else known.bill
    basis = basis_of(kept, withdrawn)
    if known is None:
        return BillRow(bill_id, version, kept, withdrawn, at, basis, is_due=True, cause=cause)
    newer = replace(known, version=version, bill=kept, withdrawn=withdrawn, basis_sha256=basis)
    if basis == known.basis_sha256:
        return newer
    newer = replace(newer, said_at=at)
    return opened(replace(newer, posting="none") if newer.posting == "rejected" else newer, cause)


def opened(row: BillRow, cause: UUID) -> BillRow:
    """The bill, due because of an event."""
    return replace(row, is_due=True, cause=cause)


def signed_off(row: BillRow, answer: Answer, cause: UUID) -> BillRow:
    """The bill after a person's answer to its standing decision; what is decided now is said even if said before."""
    return opened(replace(row, answer=answer, outcome_sha256=None), cause)


def refused(row: BillRow, standing: MatchDecided | None) -> BillRow:
    """The bill after its posting was refused.

    One that was edited since its standing decision is as one that is edited after the refusal (`learnt`): what was
    refused is not what it is now, and it is decided anew.
    """
    is_as_decided = standing is not None and standing.bill_sha256 == row.basis_sha256
    return replace(row, posting="rejected" if is_as_decided else "none")


def settled(row: BillRow, invoice_id: str, decision: MatchDecided | None, cause: UUID, at: datetime) -> BillRow:
    """The bill after its document arrived at Qonto, which was settled at this instant.

    Due when it is no longer what was posted: edited or voided while the posting was under way. `decision` is the one
    that was carried out. An answer to post the bill as it was posted is spent with that: it does not post it again.
    """
    fields = decision.expected if decision and decision.expected else _NOTHING_EXPECTED
    asked = row.answer if row.answer and row.answer.answer == "post" else None
    is_spent = asked is not None and decision is not None and asked.basis_sha256 == decision.bill_sha256
    newer = replace(
        row,
        posting="settled",
        posted=Posted(invoice_id, fields, at),
        answer=None if is_spent else row.answer,
    )
    is_as_posted = decision is not None and decision.bill_sha256 == row.basis_sha256 and row.verdict == "post"
    return newer if is_as_posted else opened(newer, cause)


def decided(row: BillRow, decision: MatchDecided, outcome_sha256: str) -> BillRow:
    """The bill after a decision."""
    by_person = decision.verdict == "link" and decision.reason == "signed_off"
    return replace(
        row,
        is_due=False,
        generation=decision.generation,
        verdict=decision.verdict,
        outcome_sha256=outcome_sha256,
        posting="none" if decision.verdict == "post" else row.posting,
        chosen_by_person=decision.chosen[0] if by_person else None,
    )


def is_news(row: BillRow, decision: MatchDecided, outcome_sha256: str) -> bool:
    """Whether a decision is to be said.

    One that was said before is not. Nor is a second `post` of a bill whose posting was refused and that has not
    changed since: it would be refused again. A person's answer is always said.
    """
    if row.posting == "rejected" and decision.verdict == "post" and decision.reason != "signed_off":
        return False
    return outcome_sha256 != row.outcome_sha256


def outcome_of(decision: MatchDecided) -> str:
    """The SHA-256 of a decision without its generation."""
    said = decision.model_dump(mode="json", exclude={"generation"})
    return hashlib.sha256(orjson.dumps(said, option=orjson.OPT_SORT_KEYS)).hexdigest()


_NOTHING_EXPECTED: Final = ExpectedFields(
    number=None, supplier_name=None, issue_date=None, due_date=None, total=None, total_tax=None
)
