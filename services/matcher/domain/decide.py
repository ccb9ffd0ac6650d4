"""The decision about one bill: a table, row by row.

The rows are tried in this order; the first that holds decides.

1. Takes no part, and was never posted: `ineligible`.
2. A person has answered, and the answer holds: `link`, `post`, or `ineligible`.
3. Already posted: the bill still agrees with what was posted (`link`), or a person must look (`review`).
4. One supplier invoice is sure: `link`, unless something forbids it, which a person must see.
5. "Qonto does not have it" is sure: `post`, unless a rule asks for a person.
6. In doubt, or rivals too close: `review`. Nothing likely: `unmatched`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from libs.contracts.entities import Bill
from libs.contracts.events import Candidate, Verdict
from services.matcher.domain.after_posting import Posted, objection
from services.matcher.domain.confidence import Confidences, compete, odds_of
from services.matcher.domain.eligible import Grounds, ineligible
from services.matcher.domain.evidence import candidates_of
from services.matcher.domain.option import VETO_SENTENCES, Option, as_wanted
from services.matcher.domain.policy import Policy
from services.matcher.domain.rules import asks_for_person
from services.matcher.domain.sign_off import Answer


@dataclass(frozen=True, slots=True)
class Case:
    """All that a decision is made from.

    Attributes:
        bill: The bill; None when its record cannot be read.
        withdrawn: Why Xero took it back, if it did.
        options: The supplier invoices it may be, best first.
        duplicates: Other bills of this workspace that say the same and come before it.
        is_crowded: So many records share its amount and supplier that they were not compared.
        posted: What it was posted as, if it was.
        answer: What a person said, if it holds for this version.
        is_answer_taken: The supplier invoice a person chose belongs to another bill by now, or is gone.
    """

    bill: Bill | None
    withdrawn: str | None = None
    options: Sequence[Option] = ()
    duplicates: Sequence[str] = ()
    is_crowded: bool = False
    posted: Posted | None = None
    answer: Answer | None = None
    is_answer_taken: bool = False


@dataclass(frozen=True, slots=True)
class Decision:
    """What shall happen to a bill, and why. Confidences are 0 when nothing was compared."""

    verdict: Verdict
    reason: str
    sentence: str
    chosen: tuple[str, ...] = ()
    confidence: float = 0.0
    none_confidence: float = 0.0
    candidates: tuple[Candidate, ...] = ()


_IN_WORDS: Final = {"counterparty": "supplier", "amount": "total", "date": "date", "reference": "invoice number"}


def decide(case: Case, policy: Policy) -> Decision:
    """Decide a bill; the same case and policy give the same decision, to the last bit."""
    against = ineligible(case.bill, case.withdrawn)
    if against is not None and case.posted is None:
        return _on(against, "ineligible")
    if case.posted is not None and not _is_answered(case):
        return _after_posting(case.posted, case)
    if case.bill is None or against is not None:
        return _left_alone()
    confidences = compete([as_wanted(option) for option in case.options])
    decision = _answered(case, confidences) or _by_confidence(case, case.bill, confidences, policy)
    return replace(
        decision,
        none_confidence=confidences.of_none,
        candidates=candidates_of(case.bill, case.options, confidences),
    )


def _is_answered(case: Case) -> bool:
    """Whether a person settled it. Nobody can post a bill that Xero took back, so that answer does not count."""
    if case.answer is None:
        return False
    return case.answer.answer == "never" or ineligible(case.bill, case.withdrawn) is None


def _after_posting(posted: Posted, case: Case) -> Decision:
    against = objection(posted, case.bill, case.withdrawn)
    if against is not None:
        return replace(_on(against, "review"), chosen=())
    sentence = "The document of this bill was posted to Qonto, and the bill still says what it said then."
    return Decision("link", "already_posted", sentence, chosen=(posted.invoice_id,), confidence=1.0)


def _answered(case: Case, confidences: Confidences) -> Decision | None:
    answer = case.answer
    if answer is None:
        return None
    if answer.answer == "never":
        return _left_alone()
    if answer.answer == "post":
        sentence = "A person decided to post this bill to Qonto as a new supplier invoice."
        return Decision("post", "signed_off", sentence, confidence=confidences.of_none)
    if case.is_answer_taken or answer.invoice_id is None:
        sentence = "The supplier invoice that a person chose is gone, or belongs to another bill by now."
        return Decision("review", "choice_taken", sentence, confidence=confidences.of_none)
    told = {
        option.invoice.invoice_id: told for option, told in zip(case.options, confidences.of_candidates, strict=True)
    }
    sentence = "A person linked this bill to a supplier invoice that Qonto has."
    confidence = told.get(answer.invoice_id, 0.0)
    return Decision("link", "signed_off", sentence, chosen=(answer.invoice_id,), confidence=confidence)


def _by_confidence(case: Case, bill: Bill, confidences: Confidences, policy: Policy) -> Decision:
    best = max(confidences.of_candidates, default=0.0)
    none = confidences.of_none
    alone = _likeliest_without_rivals(case.options)
    is_contested = alone >= policy.floor
    if best >= policy.threshold:
        return _linked(case.options[confidences.of_candidates.index(best)], best)
    if none >= (policy.rival_margin if is_contested else policy.threshold):
        return _not_at_qonto(case, bill, none, policy)
    outcome = max(best, none)
    if alone >= policy.threshold:
        return _rivals_too_close(case, outcome)
    if is_contested or outcome >= policy.floor:
        sentence = "Qonto may have this bill already, but the evidence is not sure enough to act on."
        return Decision("review", "not_sure", sentence, confidence=outcome)
    sentence = "Nothing is likely enough yet. The bill is looked at again when it or a supplier invoice changes."
    return Decision("unmatched", "nothing_likely", sentence, confidence=outcome)


def _not_at_qonto(case: Case, bill: Bill, none: float, policy: Policy) -> Decision:
    asked = asks_for_person(
        bill,
        policy,
        is_crowded=case.is_crowded,
        duplicates=case.duplicates,
    )
    if asked is not None:
        return replace(_on(asked, "review"), confidence=none)
    sentence = "Qonto does not have this bill: no supplier invoice there agrees with it. It will be posted."
    return Decision("post", "not_at_qonto", sentence, confidence=none)


def _linked(option: Option, confidence: float) -> Decision:
    if option.veto is not None:
        return Decision("review", option.veto, VETO_SENTENCES[option.veto], confidence=confidence)
    agree = [_IN_WORDS[field] for field, level in option.compared.levels if level.startswith(("same", "look_alike"))]
    sentence = f"Qonto has this bill already: the same {', '.join(agree)}. Nothing is uploaded."
    chosen = (option.invoice.invoice_id,)
    return Decision("link", "at_qonto", sentence, chosen=chosen, confidence=confidence)


def _rivals_too_close(case: Case, outcome: float) -> Decision:
    if case.duplicates:
        sentence = (
            "Another bill in Xero has the same supplier, number and total, and a supplier invoice in Qonto fits both. "
            "If both are one, void one of them; if not, say which of them Qonto has."
        )
        return Decision("review", "possible_duplicate", sentence, confidence=outcome)
    sentence = "Several supplier invoices or bills fit each other equally well; a person must say which is which."
    return Decision("review", "rivals_too_close", sentence, confidence=outcome)


def _likeliest_without_rivals(options: Sequence[Option]) -> float:
    """How likely the best supplier invoice would be if it had no rivals on either side; 0 when there is none."""
    odds = max((odds_of(option.compared.bits) for option in options), default=0.0)
    return odds / (1 + odds)


def _left_alone() -> Decision:
    return Decision("ineligible", "never", "A person decided that this bill is to be left alone.")


def _on(grounds: Grounds, verdict: Verdict) -> Decision:
    return Decision(verdict, grounds.code, grounds.sentence)
