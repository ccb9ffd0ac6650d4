"""Names that are one, and names that are not."""

from __future__ import annotations

import pytest

from services.matcher.domain.compare import compare_counterparties
from services.matcher.domain.names import name_form
from services.matcher.domain.side import Side


def level(ours: str | None, theirs: str | None) -> str:
    def side(name: str | None) -> Side:
        return Side("x", name_form(name), None, None, None, None, None)

    return compare_counterparties(side(ours), side(theirs))


@pytest.mark.parametrize(
    ("name", "core"),
    [
        ("Menuiserie Brémond S.A.R.L.", "menuiserie bremond"),
        ("SARL Menuiserie Brémond", "menuiserie bremond"),
        ("Muster Stahl GmbH & Co. KG", "muster stahl"),
        ("Deutsche Telekom Aktiengesellschaft", "deutsche telekom"),
        ("Dupont Société à responsabilité limitée", "dupont"),
        ("Hargreaves & Sons Ltd", "hargreaves sons"),
        ("Hargreaves and Sons Limited", "hargreaves sons"),
        ("Ltd", "ltd"),
    ],
)
def test_a_legal_form_is_no_part_of_the_core(name: str, core: str) -> None:
    form = name_form(name)
    assert form is not None
    assert form.core == core


@pytest.mark.parametrize(
    ("ours", "theirs", "expected"),
    [
        ("Brémond SARL", "BREMOND", "same"),
        ("Talleres Ibarra S.L.", "Talleres 1barra", "near"),
        ("Menuiserie Brémond SARL", "M. Brémond", "near"),
        ("DELCAM PLC", "D. PLC", "unknown"),
        ("SPRINGFIELD CITROEN", "5. CITROEN", "near"),
        ("NEIGHBOURHOODS DIRECTORATE (HOMES)", "N. DIRECT0RATE (HOMES)", "near"),
        ("HOME-START SHEFFIELD", "H. 5HEFFIELD", "near"),
        ("YMCA WHITE ROSE", "Y. WHITE ROSE", "near"),
        ("Ромашка плюс", "РОМАШКА ПЛЮС", "same"),
        ("Παπαδόπουλος", "ΠΑΠΑΔΟΠΟΥΛΟΣ", "same"),
        ("شركة النور للتجارة", "ش. النور للتجارة", "near"),
        ("Sheffield International Venues (EIS)", "Sheffield International Venues", "near"),
        ("Bell Group (Leeds Office)", "Bell Group", "similar"),
        ("Pixel Foundry LLC", "Hargreaves & Sons", "different"),
        (None, "Brémond", "unknown"),
        ("***", "Brémond", "unknown"),
    ],
)
def test_names_come_out_at_the_level_a_person_would_give(ours: str | None, theirs: str | None, expected: str) -> None:
    assert level(ours, theirs) == expected
