"""Supplier invoices as the stand-in keeps them: how one begins, how one changes, how it is shown."""

from __future__ import annotations

from typing import Any, Final
from uuid import uuid4

import orjson

from libs.qonto.standin.answers import Refusal
from libs.qonto.standin.store import Row, micros_of, moment_of, written
from libs.qonto.standin.world import World

EMPTY: Final[dict[str, Any]] = {
    "id": None,
    "organization_id": None,
    "status": "to_review",
    "source_type": "direct_upload",
    "source": "integration",
    "attachment_id": None,
    "display_attachment_id": None,
    "file_name": None,
    "invoice_number": None,
    "supplier_id": None,
    "supplier_name": None,
    "issuer_name": None,
    "description": None,
    "vat_number": None,
    "tin": None,
    "iban": None,
    "total_amount": None,
    "total_amount_excluding_taxes": None,
    "total_tax_amount": None,
    "payable_amount": None,
    "total_amount_credit_notes": None,
    "taxes": [],
    "issue_date": None,
    "due_date": None,
    "payment_date": None,
    "scheduled_date": None,
    "initiator_id": None,
    "is_einvoice": False,
    "e_invoice_type": None,
    "einvoicing_lifecycle_events": [],
    "has_duplicates": False,
    "has_discrepancies": False,
    "is_credit_note": False,
    "has_suggested_credit_notes": False,
    "is_attachment_invoice": None,
    "is_attachment_non_financial": None,
    "attachment_category": None,
    "matched_transactions_ids": [],
    "matched_transactions": [],
    "suggested_transactions": [],
    "transfer_ids": [],
    "request_transfer": None,
    "related_invoices": [],
    "meta": {},
    "available_actions": {"delete": True, "archive": True, "unarchive": False, "pay": False, "reasons": {}},
    "approval_workflow": {"approver_ids": [], "supplier_invoice_request_id": None},
    "declined_note": None,
    "self_invoice_id": None,
    "analyzed_at": None,
    "created_at": None,
    "updated_at": None,
}
"""A supplier invoice nobody has read yet. Source: docs.qonto.com, "List supplier invoices", and its Postman twin."""


def insert(
    world: World,
    document: dict[str, Any],
    *,
    idempotency_key: str | None,
    analyse_at: int | None,
    matcher_skipped: bool,
) -> None:
    """Keep a new invoice."""
    now = world.micros()
    world.store.run(
        "insert into invoices (id, organization_id, status, created_at, updated_at, attachment_id, document, "
        "analyse_at, idempotency_key, matcher_skipped) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        document["id"],
        document["organization_id"],
        document["status"],
        now,
        now,
        document["attachment_id"],
        orjson.dumps(document).decode(),
        analyse_at,
        idempotency_key,
        int(matcher_skipped),
    )


def new_document(world: World, organization_id: str, attachment_id: str, file_name: str) -> dict[str, Any]:
    """An uploaded invoice before its analysis."""
    now = written(world.now())
    return {
        **EMPTY,
        "id": str(uuid4()),
        "organization_id": organization_id,
        "attachment_id": attachment_id,
        "display_attachment_id": attachment_id,
        "file_name": file_name,
        "created_at": now,
        "updated_at": now,
    }


def save(world: World, document: dict[str, Any]) -> None:
    """Keep a changed invoice; its `updated_at` becomes now, and its analysis is over."""
    now = world.now()
    document["updated_at"] = written(now)
    world.store.run(
        "update invoices set document = ?, status = ?, updated_at = ?, analyse_at = null where id = ?",
        orjson.dumps(document).decode(),
        document["status"],
        micros_of(now),
        document["id"],
    )


def row_of(world: World, organization_id: str, invoice_id: str) -> Row:
    """One invoice of an organization.

    Raises:
        Refusal: 404; `errors` is then an object, as in Qonto's Postman collection (see `app`).
    """
    row = world.store.row("select * from invoices where id = ? and organization_id = ?", invoice_id, organization_id)
    if row is None:
        raise Refusal(404, "not_found", "Supplier invoice not found", {"parameter": "id"})
    return row


def shown(row: Row) -> dict[str, Any]:
    """An uploaded or recorded invoice for whoever watches the stand-in."""
    document = orjson.loads(row["document"])
    return {
        **{key: document[key] for key in ("id", "organization_id", "status", "file_name", "attachment_id")},
        "uploaded": row["idempotency_key"] is not None,
        "idempotency_key": row["idempotency_key"],
        "matcher_skipped": bool(row["matcher_skipped"]),
        "sha256": row["sha256"],
        "created_at": moment_of(row["created_at"]).isoformat(),
        "document": document,
    }
