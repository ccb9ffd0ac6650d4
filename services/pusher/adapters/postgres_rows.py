"""Rows of the pusher's tables, and what of them is sealed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from libs.contracts.entities import Document
from libs.contracts.events import DocumentMissing, ExpectedFields
from libs.contracts.model import Published, reread
from libs.crypto.seal import WorkspaceSeal
from services.pusher.domain.bill import Bill
from services.pusher.domain.posting import Posting, State

_BILL: Final = "pusher.bill"
_POSTING: Final = "pusher.posting"

POSTING_COLUMNS: Final[Mapping[str, str]] = {
    "id": "uuid",
    "record": "text",
    "generation": "int",
    "state": "text",
    "version": "int",
    "last_event": "uuid",
    "account": "text",
    "attempt": "int",
    "lost": "int",
    "looks": "int",
    "first_sent_at": "timestamptz",
    "last_sent_at": "timestamptz",
    "due_at": "timestamptz",
    "invoice_id": "text",
    "attachment_id": "text",
    "code": "text",
    "sentence": "bytea",
    "sealed": "bytea",
}
"""Columns of a posting in the order of `posting_values`, with their types."""

BILL_COLUMNS: Final[Mapping[str, str]] = {
    "record": "text",
    "generation": "int",
    "post": "bool",
    "by_person": "bool",
    "document_generation": "int",
    "answered": "int",
    "sealed": "bytea",
}
"""Columns of a bill in the order of `bill_values`, with their types."""

_PLAIN: Final = tuple(name for name in POSTING_COLUMNS if name not in {"state", "sentence", "sealed"})


class _BillWords(Published):
    expected: ExpectedFields | None
    document: Document | None
    missing: DocumentMissing | None


class _PostingWords(Published):
    expected: ExpectedFields | None
    document: Document | None
    file_name: str | None


def bill_values(seal: WorkspaceSeal, bill: Bill) -> tuple[Any, ...]:
    """A bill as its columns."""
    words = _BillWords(expected=bill.expected, document=bill.document, missing=bill.missing)
    sealed = seal.seal(words.model_dump_json().encode(), table=_BILL, row=bill.record, column="sealed")
    plain = (bill.generation, bill.post, bill.by_person, bill.document_generation, bill.answered)
    return bill.record, *plain, sealed


def bill_of(seal: WorkspaceSeal, row: Mapping[str, Any]) -> Bill:
    """The bill of a row; one that was only made has nothing sealed yet.

    Raises:
        Malformed: What is sealed does not open, or is no bill.
    """
    plain = {name: row[name] for name in BILL_COLUMNS if name != "sealed"}
    if row["sealed"] is None:
        return Bill(**plain)
    opened = seal.open(row["sealed"], table=_BILL, row=row["record"], column="sealed")
    words = reread(_BillWords, opened, where=f"{_BILL}.sealed")
    return Bill(**plain, expected=words.expected, document=words.document, missing=words.missing)


def posting_values(seal: WorkspaceSeal, posting: Posting) -> tuple[Any, ...]:
    """A posting as its columns."""
    row = str(posting.id)
    words = _PostingWords(expected=posting.expected, document=posting.document, file_name=posting.file_name)
    own = {
        **{name: getattr(posting, name) for name in _PLAIN},
        "state": posting.state.value,
        "sentence": seal.seal(posting.sentence.encode(), table=_POSTING, row=row, column="sentence")
        if posting.sentence
        else None,
        "sealed": seal.seal(words.model_dump_json().encode(), table=_POSTING, row=row, column="sealed"),
    }
    return tuple(own[name] for name in POSTING_COLUMNS)


def posting_of(seal: WorkspaceSeal, row: Mapping[str, Any]) -> Posting:
    """The posting of a row.

    Raises:
        Malformed: What is sealed does not open, or is no posting.
    """
    place, sentence = str(row["id"]), row["sentence"]
    opened = seal.open(row["sealed"], table=_POSTING, row=place, column="sealed")
    words = reread(_PostingWords, opened, where=f"{_POSTING}.sealed")
    return Posting(
        **{name: row[name] for name in _PLAIN},
        state=State(row["state"]),
        expected=words.expected,
        document=words.document,
        file_name=words.file_name,
        sentence=seal.open(sentence, table=_POSTING, row=place, column="sentence").decode() if sentence else None,
    )
