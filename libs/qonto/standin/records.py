"""Records that were at Qonto before us: put in by control, in Qonto's shape, many at a time."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import uuid4

import orjson

from libs.qonto.standin.answers import Refusal
from libs.qonto.standin.invoices import EMPTY
from libs.qonto.standin.store import Value, micros_of, written
from libs.qonto.standin.world import World


def put_invoices(world: World, organization_id: str, given: list[dict[str, Any]]) -> int:
    """Put supplier invoices in; what they do not say is empty, and a known id is replaced.

    Returns:
        How many.

    Raises:
        Refusal: 400 when a time is no RFC 3339; none of them is put in.
    """
    now = written(world.now())
    rows: list[tuple[Value, ...]] = []
    for invoice in given:
        created = invoice.get("created_at") or now
        document = {
            **EMPTY,
            **invoice,
            "id": invoice.get("id") or str(uuid4()),
            "organization_id": organization_id,
            "created_at": created,
            "updated_at": invoice.get("updated_at") or created,
        }
        times = _micros(document["created_at"]), _micros(document["updated_at"])
        text = orjson.dumps(document).decode()
        rows.append((document["id"], organization_id, document["status"], *times, document["attachment_id"], text))
    with world.store.transaction():
        world.store.run_many(
            "insert into invoices (id, organization_id, status, created_at, updated_at, attachment_id, document) "
            "values (?, ?, ?, ?, ?, ?, ?) on conflict (id) do update set status = excluded.status, "
            "created_at = excluded.created_at, updated_at = excluded.updated_at, "
            "attachment_id = excluded.attachment_id, document = excluded.document, analyse_at = null",
            rows,
        )
    return len(rows)


def put_transactions(world: World, organization_id: str, given: list[dict[str, Any]]) -> int:
    """Put transactions in, in the same way."""
    now = written(world.now())
    rows: list[tuple[Value, ...]] = []
    for transaction in given:
        id_ = transaction.get("id") or str(uuid4())
        updated = transaction.get("updated_at") or transaction.get("emitted_at") or now
        document = {**transaction, "id": id_, "updated_at": updated}
        rows.append((id_, organization_id, _micros(updated), orjson.dumps(document).decode()))
    with world.store.transaction():
        world.store.run_many(
            "insert into transactions (id, organization_id, updated_at, document) values (?, ?, ?, ?) "
            "on conflict (id) do update set updated_at = excluded.updated_at, document = excluded.document",
            rows,
        )
    return len(rows)


def _micros(text: object) -> int:
    try:
        moment = datetime.fromisoformat(str(text))
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise Refusal(400, "invalid", "created_at and updated_at are RFC 3339 date-times with an offset")
    return micros_of(moment)
