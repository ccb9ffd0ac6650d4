"""Draws a bill as a one-page PDF. The same bill makes the same bytes, today and tomorrow.

The page is what a person would get by post: supplier above, a table, the totals, how to pay. At its foot stand the
facts once more, a label and a value a line, always in English and always in this order; a stand-in for OCR reads them
there with plain text extraction:

```
Invoice number: F-2026-014     left out when there is none
Invoice date: 2026-01-31
Due date: 2026-03-02           left out when there is none
Supplier: Ateliers Brémond SAS
VAT number: FR83404833048      left out when there is none
IBAN: FR76 ...                 left out when there is none
Net: EUR 1000.00
Tax: EUR 200.00
Total: EUR 1200.00
```
"""

from __future__ import annotations

import colorsys
import random
import zlib
from datetime import UTC, datetime
from typing import Final, NamedTuple

from fpdf import FPDF

from libs.contracts.money import Money
from libs.paper.paper import Paper
from libs.paper.plain_text import in_latin1, on_one_line

LEFT_MM: Final = 20.0
RIGHT_MM: Final = 190.0
"""Millimetres from the left edge of A4: margins of 20, what office printers leave untouched."""

TABLE_END_MM: Final = 212.0
"""Millimetres from the top. Below it stand the totals with how to pay (35) and the facts (40)."""

DESCRIPTION_MM: Final = 112.0
"""Millimetres a row of a description may take: up to the column of quantities."""

BODY_POINTS: Final = 9.5
"""Points. What a typewriter's page looks like on A4 with a table."""

DESCRIPTION_ROWS_MAX: Final = 8
"""Printed rows a description may take, so that one long line does not push the others off the page."""

_INK: Final = (34, 38, 46)
_FAINT: Final = (122, 128, 138)
_HAIRLINE: Final = (221, 224, 229)


class _Words(NamedTuple):
    invoice: str
    bill_to: str
    number: str
    issued: str
    due: str
    description: str
    quantity: str
    net: str
    tax: str
    total: str
    pay_to: str
    more: str


_WORDS: Final = {
    language: _Words(*table.split("|"))
    for language, table in {
        "en": "Invoice|Bill to|Number|Date|Due|Description|Quantity|Net|VAT|Total|Pay to|more, in the total",
        "fr": "Facture|Facturé à|Numéro|Date|Échéance|Désignation|Quantité|HT|TVA|Total TTC|À régler sur"
        "|autres, dans le total",
        "de": "Rechnung|Rechnung an|Nummer|Datum|Fällig|Beschreibung|Menge|Netto|USt.|Gesamt|Zahlbar auf"
        "|weitere, im Gesamtbetrag",
    }.items()
}


def render_bill(paper: Paper) -> bytes:
    """The bill as a PDF of one page, `padding_bytes` larger than the page needs.

    Lines that do not fit are counted in words at the end of the table. Characters outside Latin-1 are rewritten
    visibly (`libs.paper.plain_text`).
    """
    pdf = FPDF(unit="mm", format="A4")
    pdf.set_creation_date(datetime.combine(paper.issue_date, datetime.min.time(), UTC))
    pdf.set_auto_page_break(auto=False)
    pdf.set_title(on_one_line(f"{paper.supplier_name} {paper.number or ''}"))
    pdf.add_page()
    words = _WORDS[paper.language]
    _draw_head(pdf, paper, words)
    below = _draw_table(pdf, paper, words)
    _draw_totals(pdf, paper, words, below)
    _draw_facts(pdf, paper)
    if paper.padding_bytes:
        _embed_padding(pdf, paper)
    return bytes(pdf.output())


def _draw_head(pdf: FPDF, paper: Paper, words: _Words) -> None:
    pdf.set_fill_color(*_accent(paper.supplier_name))
    pdf.rect(0, 0, 210, 3, style="F")
    _write(pdf, RIGHT_MM, 27, words.invoice, size=22, colour=_accent(paper.supplier_name), right=True)
    _write(pdf, LEFT_MM, 26, paper.supplier_name, size=14, bold=True, width=115)
    rows = [*paper.supplier_address, *([f"{words.tax} {paper.vat_number}"] if paper.vat_number else [])]
    for row, text in enumerate(rows):
        _write(pdf, LEFT_MM, 32 + row * 4.4, text, size=8.5, colour=_FAINT, width=115)
    _write(pdf, LEFT_MM, 70, words.bill_to, size=8, colour=_FAINT)
    for row, text in enumerate(paper.bill_to):
        _write(pdf, LEFT_MM, 75.5 + row * 4.8, text, size=10, bold=row == 0, width=85)
    labelled = [(words.number, paper.number), (words.issued, paper.issue_date.isoformat())]
    labelled.append((words.due, paper.due_date.isoformat() if paper.due_date else None))
    for row, (label, value) in enumerate((label, value) for label, value in labelled if value):
        _write(pdf, 130, 75.5 + row * 5.4, label, size=8, colour=_FAINT)
        _write(pdf, RIGHT_MM, 75.5 + row * 5.4, value, size=10, right=True, width=42)


def _draw_table(pdf: FPDF, paper: Paper, words: _Words) -> float:
    """The table; answers with the millimetres from the top at which it ends."""
    top = 104.0
    _write(pdf, LEFT_MM, top, words.description, size=8, colour=_FAINT)
    _write(pdf, 155, top, words.quantity, size=8, colour=_FAINT, right=True)
    _write(pdf, RIGHT_MM, top, f"{words.net} {paper.currency}", size=8, colour=_FAINT, right=True)
    top = _rule(pdf, top + 2.2, colour=_accent(paper.supplier_name))
    for drawn, line in enumerate(paper.lines):
        rows = _wrapped(pdf, line.description)
        if top + 6 + len(rows) * 4.6 > TABLE_END_MM:
            _write(pdf, LEFT_MM, top + 5.4, f"+ {len(paper.lines) - drawn} {words.more}", colour=_FAINT)
            return top + 8
        _write(pdf, 155, top + 5.4, line.quantity_text, colour=_FAINT, right=True, width=24)
        _write(pdf, RIGHT_MM, top + 5.4, line.net.decimal_text(grouped=True), right=True)
        for row, text in enumerate(rows):
            _write(pdf, LEFT_MM, top + 5.4 + row * 4.6, text, colour=_INK if row == 0 else _FAINT, width=DESCRIPTION_MM)
        top = _rule(pdf, top + 3.4 + len(rows) * 4.6, colour=_HAIRLINE)
    return top


def _wrapped(pdf: FPDF, description: str) -> list[str]:
    """The description in printed rows; a word too long for a row is set smaller when it is written."""
    pdf.set_font("Helvetica", size=BODY_POINTS)
    rows: list[str] = []
    for paragraph in in_latin1(description).split("\n"):
        row = ""
        for word in paragraph.split():
            longer = f"{row} {word}".lstrip()
            if row and pdf.get_string_width(longer) > DESCRIPTION_MM:
                rows.append(row)
                longer = word
            row = longer
        rows.append(row)
    return rows if len(rows) <= DESCRIPTION_ROWS_MAX else [*rows[: DESCRIPTION_ROWS_MAX - 1], "..."]


def _draw_totals(pdf: FPDF, paper: Paper, words: _Words, below: float) -> None:
    top = below + 8
    for label, amount in ((words.net, paper.net), (words.tax, paper.tax)):
        _write(pdf, 130, top, label, colour=_FAINT)
        _write(pdf, RIGHT_MM, top, amount.decimal_text(grouped=True), right=True)
        top += 5.6
    _rule(pdf, top - 2.4, colour=_HAIRLINE, left=130)
    _write(pdf, 130, top + 3.6, words.total, size=12, bold=True)
    _write(pdf, RIGHT_MM, top + 3.6, str(paper.total), size=12, bold=True, right=True)
    if paper.iban:
        _write(pdf, LEFT_MM, top - 2, words.pay_to, size=8, colour=_FAINT)
        _write(pdf, LEFT_MM, top + 3.6, paper.iban, size=10, width=95)


def _draw_facts(pdf: FPDF, paper: Paper) -> None:
    def amount_text(amount: Money) -> str:
        return f"{amount.currency} {amount.decimal_text()}"

    facts = {
        "Invoice number": paper.number,
        "Invoice date": paper.issue_date.isoformat(),
        "Due date": paper.due_date.isoformat() if paper.due_date else None,
        "Supplier": paper.supplier_name,
        "VAT number": paper.vat_number,
        "IBAN": paper.iban,
        "Net": amount_text(paper.net),
        "Tax": amount_text(paper.tax),
        "Total": amount_text(paper.total),
    }
    told = [f"{label}: {value}" for label, value in facts.items() if value]
    top = 284 - len(told) * 3.3
    _rule(pdf, top - 4.4, colour=_HAIRLINE)
    for row, fact in enumerate(told):
        _write(pdf, LEFT_MM, top + row * 3.3, fact, size=6.5, colour=_FAINT, width=RIGHT_MM - LEFT_MM)


def _embed_padding(pdf: FPDF, paper: Paper) -> None:
    """Bytes that no compressor shrinks, as an attached file of the PDF: a scan somebody left inside."""
    noise = random.Random(paper.padding_bytes).randbytes(paper.padding_bytes)  # noqa: S311  size matters, not secrecy
    pdf.embed_file(bytes=noise, basename="scan.bin", mime_type="application/octet-stream")


def _write(
    pdf: FPDF,
    x_mm: float,
    baseline_mm: float,
    text: str,
    *,
    size: float = BODY_POINTS,
    bold: bool = False,
    colour: tuple[int, int, int] = _INK,
    right: bool = False,
    width: float = 0,
) -> None:
    """One line of text on a baseline; with a width in millimetres, set smaller until it fits."""
    shown = on_one_line(text)
    pdf.set_font("Helvetica", style="B" if bold else "", size=size)
    taken = pdf.get_string_width(shown) if width or right else 0
    if width and taken > width:
        pdf.set_font_size(size * width / taken)
        taken = width
    pdf.set_text_color(*colour)
    pdf.text(x_mm - taken if right else x_mm, baseline_mm, shown)


def _rule(pdf: FPDF, y_mm: float, *, colour: tuple[int, int, int], left: float = LEFT_MM) -> float:
    pdf.set_draw_color(*colour)
    pdf.set_line_width(0.2)
    pdf.line(left, y_mm, RIGHT_MM, y_mm)
    return y_mm


def _accent(supplier_name: str) -> tuple[int, int, int]:
    """A supplier's own quiet colour, always the same for the same name."""
    hue = zlib.crc32(supplier_name.encode()) % 360 / 360
    red, green, blue = colorsys.hls_to_rgb(hue, 0.36, 0.42)
    return round(red * 255), round(green * 255), round(blue * 255)
