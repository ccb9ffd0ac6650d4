"""The evidence of a decision: for each candidate the lines that sum, exactly, to the log-odds of its confidence."""

from __future__ import annotations

from collections.abc import Sequence

from libs.contracts.entities import Bill, QontoInvoice
from libs.contracts.events import Candidate, EvidenceLine
from services.matcher.domain.confidence import DECIMALS, Confidences, log_odds_bits
from services.matcher.domain.model import BITS, PRIOR_BITS
from services.matcher.domain.option import Option


def candidates_of(bill: Bill, options: Sequence[Option], confidences: Confidences) -> tuple[Candidate, ...]:
    """The candidates with their evidence, in the order of the options."""
    return tuple(
        Candidate(
            invoice_id=option.invoice.invoice_id,
            confidence=confidence,
            evidence=_lines(bill, option, confidence, others=len(options) - 1),
        )
        for option, confidence in zip(options, confidences.of_candidates, strict=True)
    )


def _lines(bill: Bill, option: Option, confidence: float, *, others: int) -> tuple[EvidenceLine, ...]:
    lines = [EvidenceLine(field="prior", level="any", bits=PRIOR_BITS)]
    ours, theirs = _values(bill), _values(option.invoice)
    for field, level in option.compared.levels:
        bits = BITS[field, level]
        lines.append(EvidenceLine(field=field, level=level, bits=bits, ours=ours[field], theirs=theirs[field]))
    rivals = round(log_odds_bits(confidence) - sum(line.bits for line in lines), DECIMALS)
    lines.append(EvidenceLine(field="rivals", level=_told(others, option.rivals), bits=rivals))
    return tuple(lines)


def _told(others: int, rivals: int) -> str:
    """The competition in words; the line also holds what rounding to one in a million takes off."""
    return f"{others} other supplier invoices, {rivals} other bills"


def _values(record: Bill | QontoInvoice) -> dict[str, str | None]:
    return {
        "counterparty": record.supplier_name,
        "amount": str(record.total) if record.total else None,
        "date": record.issue_date.isoformat() if record.issue_date else None,
        "reference": record.number,
    }
