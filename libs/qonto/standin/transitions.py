"""What a person's click at Qonto may do to a supplier invoice, over the API: pay, unpay, reject.

Source: docs.qonto.com, "Mark a supplier invoice as paid", "Unmark ..." and "Reject a supplier invoice".
"""

from __future__ import annotations

from typing import Any, Final

import orjson
from aiohttp import web

from libs.qonto.standin.answers import Refusal, json_answer
from libs.qonto.standin.grants import organization_of
from libs.qonto.standin.invoices import row_of, save
from libs.qonto.standin.world import WORLD, World

PAYABLE: Final = frozenset({"to_review", "to_approve", "awaiting_payment", "pending", "scheduled"})
"""From where an invoice may become paid. Inferred: the reference names no others that make sense."""

REJECTABLE: Final = frozenset({"to_review", "to_approve", "awaiting_payment"})
"""From where an invoice may be rejected. Source: docs.qonto.com, "Reject a supplier invoice"."""


async def mark_as_paid(request: web.Request) -> web.Response:
    """`to_review`, `awaiting_payment` ... to `paid`, with the date of payment. The answer is unwrapped."""
    world, document = _to_change(request)
    wanted = await _wanted(request)
    _check_transition(document, PAYABLE, "paid")
    if not isinstance(wanted.get("payment_date"), str):
        raise Refusal(400, "required", "payment_date is required", {"pointer": "/supplier_invoice/payment_date"})
    document |= {"status": "paid", "payment_date": wanted["payment_date"]}
    save(world, document)
    return json_answer(document)


async def unmark_as_paid(request: web.Request) -> web.Response:
    """`paid` back to `awaiting_payment`. The status it returns to is inferred."""
    world, document = _to_change(request)
    _check_transition(document, frozenset({"paid"}), "awaiting_payment")
    document |= {"status": "awaiting_payment", "payment_date": None}
    save(world, document)
    return json_answer(document)


async def reject(request: web.Request) -> web.Response:
    """To `rejected`; a French e-invoice wants a reason code (since 2026-09-01)."""
    world, document = _to_change(request)
    wanted = await _wanted(request)
    _check_transition(document, REJECTABLE, "rejected")
    if document["is_einvoice"] and not wanted.get("declined_reason_code"):
        where = {"pointer": "/supplier_invoice/declined_reason_code"}
        raise Refusal(422, "required", "declined_reason_code is required for an e-invoice", where)
    document |= {"status": "rejected", "declined_note": wanted.get("declined_note")}
    save(world, document)
    return json_answer(document)


def _to_change(request: web.Request) -> tuple[World, dict[str, Any]]:
    world = request.app[WORLD]
    organization_id = organization_of(world, request.headers.get("Authorization", ""), "supplier_invoice.write")
    row = row_of(world, organization_id, request.match_info["id"])
    return world, orjson.loads(row["document"])


async def _wanted(request: web.Request) -> dict[str, Any]:
    try:
        wanted = orjson.loads(await request.read())["supplier_invoice"]
    except (orjson.JSONDecodeError, KeyError, TypeError):
        wanted = None
    if not isinstance(wanted, dict):
        raise Refusal(400, "invalid", "The body is no supplier_invoice", {"pointer": "/supplier_invoice"})
    return wanted


def _check_transition(document: dict[str, Any], allowed: frozenset[str], to: str) -> None:
    if document["status"] not in allowed:
        detail = f"Invalid transition from {document['status']} to {to}"
        raise Refusal(400, "invalid_transition", detail, {"pointer": "/supplier_invoice/status"})
