"""A drawn bill: the same bytes each time, and what stands on it can be read back."""

from __future__ import annotations

import io
from datetime import date
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from pypdf import PdfReader

from libs.contracts.money import Money
from libs.paper import Paper, PaperLine, render_bill


def _euros(minor: int) -> Money:
    return Money(minor=minor, currency="EUR")


BILL: Final = Paper(
    supplier_name="Ateliers Brémond SAS",
    supplier_address=("14 rue de la Part-Dieu", "69003 Lyon"),
    vat_number="FR83404833048",
    iban="FR76 3000 6000 0112 3456 7890 189",
    bill_to=("Maison Tilleul SAS", "8 quai Saint-Antoine", "69002 Lyon"),
    number="F-2026-014",
    issue_date=date(2026, 1, 31),
    due_date=date(2026, 3, 2),
    currency="EUR",
    lines=(
        PaperLine(description="Reprise des menuiseries\natelier", quantity_text="1", net=_euros(100_000)),
        PaperLine(description="Déplacement", quantity_text="3", net=_euros(16_000)),
    ),
    net=_euros(116_000),
    tax=_euros(23_200),
    total=_euros(139_200),
    language="fr",
)


def _text_of(pdf: bytes) -> list[str]:
    reader = PdfReader(io.BytesIO(pdf))
    assert len(reader.pages) == 1
    return reader.pages[0].extract_text().splitlines()


def test_the_facts_at_the_foot_are_read_back_in_their_order() -> None:
    assert _text_of(render_bill(BILL))[-9:] == [
        "Invoice number: F-2026-014",
        "Invoice date: 2026-01-31",
        "Due date: 2026-03-02",
        "Supplier: Ateliers Brémond SAS",
        "VAT number: FR83404833048",
        "IBAN: FR76 3000 6000 0112 3456 7890 189",
        "Net: EUR 1160.00",
        "Tax: EUR 232.00",
        "Total: EUR 1392.00",
    ]


def test_what_a_bill_does_not_say_has_no_label() -> None:
    bare = BILL.model_copy(update={"number": None, "due_date": None, "vat_number": None, "iban": None})
    labels = [line.partition(":")[0] for line in _text_of(render_bill(bare))[-5:]]
    assert labels == ["Invoice date", "Supplier", "Net", "Tax", "Total"]
    assert "F-2026-014" not in "\n".join(_text_of(render_bill(bare)))


def test_the_same_bill_makes_the_same_bytes() -> None:
    assert render_bill(BILL) == render_bill(Paper.model_validate_json(BILL.model_dump_json()))


def test_the_language_turns_the_headings_and_leaves_the_facts_in_english() -> None:
    german = _text_of(render_bill(BILL.model_copy(update={"language": "de"})))
    assert german[0].startswith("Rechnung")
    assert "Total: EUR 1392.00" in german


def test_letters_outside_latin_1_are_rewritten_where_a_reader_sees_it() -> None:
    bill = BILL.model_copy(update={"supplier_name": "Łódź Œuvre \u201cN\u00ba\u201d 中"})
    assert 'Supplier: Lódz OEuvre "Nº" [U+4E2D]' in _text_of(render_bill(bill))


def test_a_line_break_in_a_name_does_not_break_its_fact_in_two() -> None:
    bill = BILL.model_copy(update={"supplier_name": "Brémond\nTotal: EUR 1.00"})
    assert "Supplier: Brémond Total: EUR 1.00" in _text_of(render_bill(bill))


def test_amounts_are_written_with_the_decimals_of_their_currency() -> None:
    yen = Money(minor=12_500, currency="JPY")
    bill = BILL.model_copy(update={"currency": "JPY", "lines": (), "net": yen, "tax": yen, "total": yen})
    assert "Total: JPY 12500" in _text_of(render_bill(bill))


def test_lines_beyond_the_page_are_counted_on_it() -> None:
    bill = BILL.model_copy(update={"lines": BILL.lines * 20, "language": "en"})
    assert any("more, in the total" in line for line in _text_of(render_bill(bill)))


def test_padding_makes_the_file_larger_and_leaves_the_page_as_it_was() -> None:
    padded = render_bill(BILL.model_copy(update={"padding_bytes": 2_000_000}))
    assert 2_000_000 < len(padded) < 2_010_000
    assert _text_of(padded) == _text_of(render_bill(BILL))


def test_a_bill_in_two_currencies_is_no_bill() -> None:
    with pytest.raises(ValidationError, match="own currency"):
        Paper.model_validate({**BILL.model_dump(), "total": Money(minor=1, currency="USD")})


@settings(max_examples=60)
@given(name=st.text(max_size=300), number=st.text(max_size=60), description=st.text(max_size=600))
def test_any_text_can_be_drawn(name: str, number: str, description: str) -> None:
    line = PaperLine(description=description, quantity_text=number[:40], net=_euros(1))
    drawn = _text_of(render_bill(BILL.model_copy(update={"supplier_name": name, "number": number, "lines": (line,)})))
    assert drawn[-1] == "Total: EUR 1392.00"
