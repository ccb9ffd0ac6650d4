"""The shapes of rows: from a bill or supplier invoice to columns and back, sealing what a provider said."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from pydantic import BaseModel, ConfigDict

from libs.contracts.entities import Bill, QontoInvoice
from libs.contracts.events import ExpectedFields
from libs.contracts.model import reread
from libs.crypto.opened import Opened
from libs.crypto.seal import WorkspaceSeal
from services.matcher.domain.after_posting import Posted
from services.matcher.domain.sign_off import Answer
from services.matcher.domain.standing import BillRow, InvoiceRow

Fields = TypeVar("Fields", bound=BaseModel)

_BILL_TABLE: Final = "matcher.bill"
_INVOICE_TABLE: Final = "matcher.invoice"

_BILL_COLUMNS: Final = {
    "bill_id": "text",
    "version": "bigint",
    "sealed": "bytea",
    "withdrawn": "text",
    "said_at": "timestamptz",
    "basis_sha256": "text",
    "is_due": "boolean",
    "cause": "uuid",
    "generation": "bigint",
    "verdict": "text",
    "outcome_sha256": "text",
    "posting": "text",
    "posting_generation": "bigint",
    "posted_invoice_id": "text",
    "posted_at": "timestamptz",
    "chosen_by_person": "text",
    "answer": "text",
    "answer_basis_sha256": "text",
    "answer_invoice_id": "text",
}
_INVOICE_COLUMNS: Final = {"invoice_id": "text", "version": "bigint", "sealed": "bytea", "is_withdrawn": "boolean"}


def _upsert(table: str, columns: Mapping[str, str]) -> str:
    """One statement that writes many rows, a parameter a column; the first column is the key beside the workspace."""
    key, *rest = columns
    names = ", ".join(columns)
    arrays = ", ".join(f"${place}::{type_}[]" for place, type_ in enumerate(columns.values(), start=2))
    changes = ", ".join(f"{name} = excluded.{name}" for name in rest)
    return (
        f"INSERT INTO {table} (workspace, {names}) SELECT $1, {names} FROM unnest({arrays}) AS new({names}) "  # noqa: S608 names from the tables above
        f"ON CONFLICT (workspace, {key}) DO UPDATE SET {changes}"
    )


PUT_BILLS: Final = _upsert(_BILL_TABLE, _BILL_COLUMNS)
PUT_INVOICES: Final = _upsert(_INVOICE_TABLE, _INVOICE_COLUMNS)


class _SealedBill(BaseModel):
    """What is sealed of a bill: its fields, and those it was posted with."""

    model_config = ConfigDict(frozen=True)

    bill: Bill | None
    posted: ExpectedFields | None


@dataclass(frozen=True)
class Sealing:
    """How the fields of a workspace's rows are sealed and opened; what was seen lately is not opened again."""

    seal: WorkspaceSeal
    opened: Opened[BaseModel]

    def sealed(self, table: str, row: str, fields: BaseModel) -> bytes:
        """The bytes that hold these fields in this row."""
        written = self.seal.seal(fields.model_dump_json().encode(), table=table, row=row, column="sealed")
        self.opened.remember((self.seal.workspace, table, row), written, fields)
        return written

    def fields(self, kind: type[Fields], table: str, row: str, written: bytes) -> Fields:
        """The fields again.

        Raises:
            Malformed: What is sealed does not open, or is none.
        """
        place = (self.seal.workspace, table, row)
        known = self.opened.get(place, written)
        if isinstance(known, kind):
            return known
        plain = self.seal.open(written, table=table, row=row, column="sealed")
        fields = reread(kind, plain, where=f"{table}.sealed")
        self.opened.remember(place, written, fields)
        return fields


def bill_columns(sealing: Sealing, rows: Sequence[BillRow]) -> list[list[Any]]:
    """Bills as columns, in the order of `PUT_BILLS`."""
    values = [_bill_values(sealing, row) for row in rows]
    return [[value[name] for value in values] for name in _BILL_COLUMNS]


def invoice_columns(sealing: Sealing, rows: Sequence[InvoiceRow]) -> list[list[Any]]:
    """Supplier invoices as columns, in the order of `PUT_INVOICES`."""
    sealed = [sealing.sealed(_INVOICE_TABLE, row.invoice_id, row.invoice) for row in rows]
    return [
        [row.invoice_id for row in rows],
        [row.version for row in rows],
        sealed,
        [row.is_withdrawn for row in rows],
    ]


def bill_row(sealing: Sealing, row: Mapping[str, Any]) -> BillRow:
    """A bill from its columns.

    Raises:
        Malformed: What is sealed does not open, or is none.
    """
    sealed = sealing.fields(_SealedBill, _BILL_TABLE, row["bill_id"], row["sealed"])
    answer = row["answer"]
    return BillRow(
        bill_id=row["bill_id"],
        version=row["version"],
        bill=sealed.bill,
        withdrawn=row["withdrawn"],
        said_at=row["said_at"],
        basis_sha256=row["basis_sha256"],
        is_due=row["is_due"],
        cause=row["cause"],
        generation=row["generation"],
        verdict=row["verdict"],
        outcome_sha256=row["outcome_sha256"],
        posting=row["posting"],
        posting_generation=row["posting_generation"],
        posted=Posted(row["posted_invoice_id"], sealed.posted, row["posted_at"]) if sealed.posted else None,
        chosen_by_person=row["chosen_by_person"],
        answer=Answer(answer, row["answer_basis_sha256"], row["answer_invoice_id"]) if answer else None,
    )


def invoice_row(sealing: Sealing, row: Mapping[str, Any]) -> InvoiceRow:
    """A supplier invoice from its columns.

    Raises:
        Malformed: What is sealed does not open, or is none.
    """
    invoice = sealing.fields(QontoInvoice, _INVOICE_TABLE, row["invoice_id"], row["sealed"])
    return InvoiceRow(row["invoice_id"], row["version"], invoice, row["is_withdrawn"])


def _bill_values(sealing: Sealing, row: BillRow) -> dict[str, Any]:
    body = _SealedBill(bill=row.bill, posted=row.posted.fields if row.posted else None)
    return {
        "bill_id": row.bill_id,
        "version": row.version,
        "sealed": sealing.sealed(_BILL_TABLE, row.bill_id, body),
        "withdrawn": row.withdrawn,
        "said_at": row.said_at,
        "basis_sha256": row.basis_sha256,
        "is_due": row.is_due,
        "cause": row.cause,
        "generation": row.generation,
        "verdict": row.verdict,
        "outcome_sha256": row.outcome_sha256,
        "posting": row.posting,
        "posting_generation": row.posting_generation,
        "posted_invoice_id": row.posted.invoice_id if row.posted else None,
        "posted_at": row.posted.at if row.posted else None,
        "chosen_by_person": row.chosen_by_person,
        "answer": row.answer.answer if row.answer else None,
        "answer_basis_sha256": row.answer.basis_sha256 if row.answer else None,
        "answer_invoice_id": row.answer.invoice_id if row.answer else None,
    }
