"""Keeps a page of a provider's words and says which of them are new."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import orjson

from libs.contracts.envelope import Envelope, enveloped
from libs.contracts.events import RecordPulled
from libs.contracts.identity import Provider, RecordKind, derived_id, record_of
from libs.crypto.seal import WorkspaceSeal
from libs.database.port import Transaction
from services.ingest.domain.kept import Head, RawVersion
from services.ingest.domain.reading import usable_id
from services.ingest.ports import RawRecords

_ID_FIELDS: Final[Mapping[RecordKind, str]] = {
    "bill": "InvoiceID",
    "contact": "ContactID",
    "supplier_invoice": "id",
}

_NO_HEAD: Final = Head(version=0, content_sha256="")


@dataclass(frozen=True)
class Words:
    """A record's words in canonical form: keys sorted, no space, UTF-8."""

    record: str
    canonical: bytes
    sha256: str


def words_of(provider: Provider, kind: RecordKind, record: Mapping[str, Any]) -> Words:
    """The canonical words of a record. One that has no usable id is named by its own digest, so that it is not lost."""
    canonical = _canonical(record)
    sha256 = hashlib.sha256(canonical).hexdigest()
    name = usable_id(record.get(_ID_FIELDS[kind])) or f"unnamed-{sha256[:32]}"
    return Words(record_of(provider, kind, name), canonical, sha256)


def _canonical(record: Mapping[str, Any]) -> bytes:
    try:
        return orjson.dumps(record, option=orjson.OPT_SORT_KEYS)
    except orjson.JSONEncodeError:
        # Half a surrogate pair, which JSON can hold and UTF-8 cannot, becomes a question mark.
        return json.dumps(record, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode(errors="replace")


def place(record: str, version: int) -> Mapping[str, str]:
    """Where a version's words are sealed."""
    return {"table": "ingest.raw_record", "row": f"{record}#{version}", "column": "sealed"}


async def keep(
    tx: Transaction,
    raw: RawRecords,
    seal: WorkspaceSeal,
    page: Sequence[Words],
    *,
    provider: Provider,
    kind: RecordKind,
    now: datetime,
) -> list[Envelope]:
    """Keep the words that differ from the newest we have, and give a `RecordPulled` for each of them.

    The caller holds the provider's pull, so that no other process adds versions of these records meanwhile.
    """
    newest = {words.record: words for words in page}
    heads = await raw.heads(tx, list(newest))
    versions = []
    for record, words in newest.items():
        head = heads.get(record, _NO_HEAD)
        if head.content_sha256 != words.sha256:
            sealed = seal.seal(words.canonical, **place(record, head.version + 1))
            versions.append(RawVersion(record, kind, head.version + 1, words.sha256, sealed, now))
    if versions:
        await raw.add(tx, versions)
    return [_pulled(tx, version, provider) for version in versions]


def _pulled(tx: Transaction, version: RawVersion, provider: Provider) -> Envelope:
    return enveloped(
        RecordPulled(
            provider=provider, kind=version.kind, content_sha256=version.content_sha256, version=version.version
        ),
        workspace=tx.workspace,
        record=version.record,
        cause=derived_id("version", tx.workspace, version.record, version.version),
        occurred_at=version.pulled_at,
    )
