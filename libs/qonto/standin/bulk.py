"""`POST /v2/supplier_invoices/bulk`: files in, one verdict for each, and 200 whatever the verdicts are.

Source: docs.qonto.com, "Create supplier invoices" and guides/use-cases/bulk-upload-supplier-invoices.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import orjson
from aiohttp import web

from libs.qonto.standin import invoices
from libs.qonto.standin.answers import Refusal, fault_entry, json_answer
from libs.qonto.standin.attachments import keep, sniff
from libs.qonto.standin.grants import SECOND, organization_of
from libs.qonto.standin.multipart import Item, grouped, parts_of
from libs.qonto.standin.remembered import recall, remember
from libs.qonto.standin.world import WORLD, World

INVOICES_MAX: Final = 20
"""Invoices a request, then `limit_reached`. Source: the guide."""

FILE_MAX_BYTES: Final = 10_000_000
"""Bytes a file. Source: the guide, "PDF invoice file (max 10 MB)"."""

SOURCES: Final = frozenset(
    {"pay_by_invoice", "supplier_invoices", "integration", "transaction_attachment", "generic_upload"}
)

_POINTER: Final = "/supplier_invoices/idempotency_key"


async def upload(request: web.Request) -> web.Response:
    """Take the files, one verdict each."""
    world = request.app[WORLD]
    organization_id = organization_of(world, request.headers.get("Authorization", ""), "supplier_invoice.write")
    parts = await parts_of(request)
    items = grouped(parts)
    fields = {part.name: part.text for part in parts if part.file_name is None and "[" not in part.name}
    batch = Batch(world, organization_id, _meta(fields), _source(fields), _flag(fields, "skip_attachment_matcher"))
    if not items:
        raise Refusal(400, "required", "supplier_invoices is required", {"pointer": "/supplier_invoices"})
    if len(items) > INVOICES_MAX:
        entry = fault_entry("limit_reached", f"At most {INVOICES_MAX} invoices", {"pointer": "/supplier_invoices"})
        return json_answer({"supplier_invoices": [], "errors": [entry]})
    taken: list[dict[str, Any]] = []
    errors: list[dict[str, Any]] = []
    for item in items:
        try:
            with world.store.transaction():
                taken.append(batch.take(item))
        except Refusal as refusal:
            errors.append(fault_entry(refusal.code, refusal.detail, refusal.source))
    return json_answer({"supplier_invoices": taken, "errors": errors})


@dataclass(frozen=True)
class Batch:
    """What the invoices of one request share."""

    world: World
    organization_id: str
    meta: dict[str, Any]
    source: str
    matcher_skipped: bool

    def take(self, item: Item) -> dict[str, Any]:
        """Make one invoice, or give the answer its key had within the last 30 minutes, whatever file comes with it.

        Raises:
            Refusal: this invoice is refused; the others are not concerned.
        """
        key = item["idempotency_key"].text if "idempotency_key" in item else ""
        if not key:
            raise Refusal(200, "required", "idempotency_key is required", {"pointer": _POINTER})
        remembered = recall(self.world, self.organization_id, "bulk", key)
        if remembered is not None:
            return remembered
        attachment_id, file_name = self._attachment(item, f"{_POINTER}/{key}")
        document = invoices.new_document(self.world, self.organization_id, attachment_id, file_name)
        document |= {"meta": self.meta, "source": self.source}
        invoices.insert(
            self.world,
            document,
            idempotency_key=key,
            analyse_at=self.world.micros() + round(self.world.settings.analysis_delay_seconds * SECOND),
            matcher_skipped=self.matcher_skipped,
        )
        remember(self.world, self.organization_id, "bulk", key, document)
        return document

    def _attachment(self, item: Item, pointer: str) -> tuple[str, str]:
        """The id and the file name of what was sent, or of what was uploaded before."""
        file, earlier = item.get("file"), item.get("attachment_id")
        if (file is None) == (earlier is None):
            raise Refusal(200, "invalid", "Give either a file or an attachment_id", {"pointer": pointer})
        if earlier is not None:
            row = self.world.store.row(
                "select id, file_name from attachments where id = ? and organization_id = ?",
                earlier.text,
                self.organization_id,
            )
            if row is None:
                raise Refusal(200, "invalid", "No such attachment", {"pointer": f"{pointer}/attachment_id"})
            return row["id"], row["file_name"]
        content = file.content if file is not None else b""
        kind = sniff(content)
        if file is None or file.file_name is None or kind is None or len(content) > FILE_MAX_BYTES:
            raise Refusal(200, "invalid", "File is too large or wrong content type", {"pointer": f"{pointer}/file"})
        return keep(self.world, self.organization_id, file.file_name, kind, content), file.file_name


def _source(fields: dict[str, str]) -> str:
    source = fields.get("source", "generic_upload")
    if source not in SOURCES:
        raise Refusal(400, "invalid", "Unknown source", {"pointer": "/source"})
    return source


def _meta(fields: dict[str, str]) -> dict[str, Any]:
    try:
        meta = orjson.loads(fields.get("meta", "{}"))
    except orjson.JSONDecodeError:
        meta = None
    if not isinstance(meta, dict):
        raise Refusal(400, "invalid", "meta is no JSON object", {"pointer": "/meta"})
    return meta


def _flag(fields: dict[str, str], name: str) -> bool:
    word = fields.get(name, "false")
    if word not in {"true", "false"}:
        raise Refusal(400, "invalid", f"{name} is no boolean", {"pointer": f"/{name}"})
    return word == "true"
