"""What a version of a raw record says in our own form: an entity, a withdrawal, or why neither can be had."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from libs.contracts.entities import Entity
from libs.contracts.errors import Malformed
from libs.contracts.events import EntityMalformed, EntityNormalized, EntityWithdrawn
from libs.contracts.identity import RecordKind
from services.ingest.domain.qonto_invoices import read_supplier_invoice
from services.ingest.domain.reading import Words
from services.ingest.domain.withdrawal import Withdrawal
from services.ingest.domain.xero_bills import read_bill
from services.ingest.domain.xero_contacts import read_contact

_READERS: Final[Mapping[RecordKind, Callable[[Words], Entity | Withdrawal]]] = {
    "bill": read_bill,
    "contact": read_contact,
    "supplier_invoice": read_supplier_invoice,
}


def normalized(
    words: object, *, kind: RecordKind, version: int, content_sha256: str
) -> EntityNormalized | EntityWithdrawn | EntityMalformed:
    """The one event of one version of a record. The same words give the same event."""
    if not isinstance(words, Mapping):
        sentence = "The provider's words are not a JSON object."
        return EntityMalformed(kind=kind, code="not_an_object", version=version, sentence=sentence)
    try:
        found = _READERS[kind](words)
    except Malformed as error:
        return EntityMalformed(kind=kind, code=error.code, version=version, sentence=error.sentence)
    if isinstance(found, Withdrawal):
        return EntityWithdrawn(kind=kind, reason=found.reason, version=version, sentence=found.sentence)
    return EntityNormalized(entity=found, content_sha256=content_sha256, version=version)
