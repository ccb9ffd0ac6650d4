"""Invoice numbers that are one, and numbers that contradict each other."""

from __future__ import annotations

import pytest

from services.matcher.domain.references import compare_references, reference_of


@pytest.mark.parametrize(
    ("ours", "theirs", "expected"),
    [
        ("F-2026/0117", "f20260117", "same"),
        ("INV000312", "INV312", "same_short"),
        ("INV-0004312", "INV4312", "same"),
        ("SI-004512", "5I-OO4512", "look_alike"),
        ("INV050955", "50955", "contained"),
        ("2100061558", "210061558", "one_edit"),
        ("50697", "50696", "differs"),
        ("2100061558", "2100061559", "differs"),
        ("309", "309", "same_short"),
        ("MA6", "MA.6", "same_short"),
        ("VARIOUSRJ", "VARIOUS RJ", "same_short"),
        ("1127", "1l27", "same_short"),
        ("860", "830", "differs_short"),
        ("VARIOUSRJ", "VARIOUSPS", "differs_short"),
        ("1139", "I128", "differs_short"),
        ("F-2026-0012", "12", "unknown"),
        ("309", "04/01/2011", "unknown"),
        ("04/01/2011", "04/01/2011", "unknown"),
        ("20110104", "20110104", "unknown"),
        (None, "F-2026-0117", "unknown"),
        ("--", "F-2026-0117", "unknown"),
    ],
)
def test_numbers_come_out_at_the_level_a_person_would_give(ours: str | None, theirs: str | None, expected: str) -> None:
    assert compare_references(reference_of(ours), reference_of(theirs)) == expected


def test_comparing_numbers_takes_no_side() -> None:
    long, short = reference_of("INV050955"), reference_of("50955")
    assert compare_references(long, short) == compare_references(short, long)
