"""match.decided.v1 and match.signed_off.v1: what shall happen to a bill, why, and what a person said."""

from __future__ import annotations

from typing import Annotated, Final, Literal
from uuid import UUID

from pydantic import Field

from libs.contracts.model import Published, Sentence, Sha256
from libs.contracts.money import Money

MAX_CANDIDATES: Final = 12
"""Candidates stored with a decision. More than a person can compare, and the bound on a decision's size."""

Probability = Annotated[float, Field(ge=0, le=1)]


class EvidenceLine(Published):
    """One field's share of a confidence, in bits: what was compared, how it came out, what it weighs.

    `field` is one of counterparty, amount, date, reference, or `prior` and `rivals` for the two terms that are not of
    a field; the lines of a candidate sum to the log-odds of its confidence.
    """

    field: str
    level: str
    bits: float
    ours: str | None = None
    theirs: str | None = None


class Candidate(Published):
    """A supplier invoice that might be the same obligation, with the probability that it is."""

    invoice_id: str
    confidence: Probability
    evidence: tuple[EvidenceLine, ...]


Verdict = Literal["link", "post", "review", "unmatched", "ineligible"]


class MatchDecided(Published):
    """What shall happen to a bill, with everything it was decided from.

    `generation` counts the decisions of this bill, from 1; a later one replaces an earlier one. `chosen` holds the
    supplier invoice of a `link`. `none_confidence` is the probability that Qonto does not have the bill; with the
    candidates' it sums to one, unless `reason` says that nothing was compared.
    """

    type: Literal["MatchDecided"] = "MatchDecided"
    verdict: Verdict
    reason: str
    sentence: Sentence
    generation: Annotated[int, Field(ge=1)]
    bill_sha256: Sha256
    chosen: tuple[str, ...] = ()
    confidence: Probability
    none_confidence: Probability
    candidates: Annotated[tuple[Candidate, ...], Field(max_length=MAX_CANDIDATES)] = ()
    expected: ExpectedFields | None = None
    model: str
    policy: str


class ExpectedFields(Published):
    """The fields of a bill that Qonto reads off the document, for the read-back. None where Xero has none."""

    number: str | None
    supplier_name: str | None
    issue_date: str | None
    due_date: str | None
    total: Money | None
    total_tax: Money | None


class SignedOff(Published):
    """A person's answer to a review. `invoice_id` is set for `link` only."""

    type: Literal["SignedOff"] = "SignedOff"
    answer: Literal["link", "post", "never"]
    generation: Annotated[int, Field(ge=1)]
    invoice_id: str | None = None
    by: str
    note: str | None = None
    decision: UUID


MatchDecided.model_rebuild()
