"""What must hold of every competition."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.matcher.domain.compare import compare
from services.matcher.domain.confidence import LEAST, Wanted, compete, odds_of
from services.matcher.domain.evidence import candidates_of
from services.matcher.domain.option import Option
from services.matcher.domain.side import side_of
from tests.support.matching import a_bill, an_invoice

_bits = st.integers(-40, 40)
_wanted = st.lists(st.builds(Wanted, _bits, _bits.map(odds_of)), max_size=12)


@given(_wanted)
def test_confidences_sum_to_one_to_the_last_decimal(wanted: list[Wanted]) -> None:
    told = compete(wanted)
    assert math.isclose(sum(told.of_candidates) + told.of_none, 1.0, abs_tol=1e-9)


@given(_wanted)
def test_nothing_is_told_to_be_certain_or_impossible(wanted: list[Wanted]) -> None:
    told = compete(wanted)
    assert all(LEAST <= confidence <= 1 - LEAST for confidence in told.of_candidates)


@given(_bits, _bits)
def test_two_bills_are_never_both_sure_of_one_supplier_invoice(one: int, other: int) -> None:
    first = compete([Wanted(one, odds_of(other))]).of_candidates[0]
    second = compete([Wanted(other, odds_of(one))]).of_candidates[0]
    assert first + second <= 1 + 2 * LEAST


@given(_wanted.filter(bool), _bits)
def test_a_rival_never_helps(wanted: list[Wanted], rival: int) -> None:
    alone = compete([Wanted(wanted[0].bits, 0.0)]).of_candidates[0]
    assert compete([Wanted(wanted[0].bits, odds_of(rival))]).of_candidates[0] <= alone


@given(_bits.map(odds_of), st.integers(0, 1), st.sampled_from(("F20260117", None, "F-2026-9999")))
def test_evidence_sums_to_the_log_odds_of_its_confidence(rivals: float, others: int, number: str | None) -> None:
    bill = a_bill()
    invoices = [an_invoice(number=number), an_invoice("invoice-2", number="X-11111")][: others + 1]
    options = [Option(i, compare(side_of(bill), side_of(i), is_repeated=False), rivals, 1) for i in invoices]
    told = compete([Wanted(option.compared.bits, option.rival_odds) for option in options])
    for candidate in candidates_of(bill, options, told):
        log_odds = math.log2(candidate.confidence / (1 - candidate.confidence))
        assert sum(line.bits for line in candidate.evidence) == pytest.approx(log_odds, abs=1e-6)
        assert [line.field for line in candidate.evidence][0::5] == ["prior", "rivals"]
