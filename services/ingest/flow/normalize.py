"""Group `ingest.normalize`: says each new version of a record in our own form, and hands barriers on.

The version an event names is the one that is normalised, even when a newer one has come meanwhile: every version is
kept. Were the older one passed over, a barrier between the two could go by while the record is nowhere behind it, and
the matcher would say of a bill that Qonto does not have it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

import orjson

from libs.bus.port import Subscription
from libs.contracts.envelope import Envelope, enveloped
from libs.contracts.errors import Malformed
from libs.contracts.events import EntityMalformed, RecordPulled, WindowNormalized, WindowPulled
from libs.contracts.events.normalized import EntityNormalized, EntityWithdrawn
from libs.crypto.keyring import Sealer
from libs.crypto.seal import WorkspaceSeal
from libs.database.port import Transaction
from libs.eventlog.port import Delivery
from libs.runtime.clock import Clock
from services.ingest.domain.kept import RawVersion
from services.ingest.domain.normalized import normalized
from services.ingest.flow.keeping import place
from services.ingest.ports import Store

_TOPICS: Final = frozenset({"xero.raw.v1", "qonto.raw.v1"})


@dataclass(frozen=True)
class Normalizer:
    """Turns raw versions into entities."""

    store: Store
    sealer: Sealer
    clock: Clock

    def subscription(self) -> Subscription:
        """The group."""
        return Subscription("ingest.normalize", _TOPICS, self.handle)

    async def handle(self, tx: Transaction, batch: Sequence[Delivery]) -> Sequence[Envelope]:
        """One event a version, one barrier a barrier, in the order they came."""
        envelopes = [delivery.envelope for delivery in batch]
        wanted = [(each.record, each.payload.version) for each in envelopes if isinstance(each.payload, RecordPulled)]
        kept = await self.store.raw.load(tx, wanted) if wanted else {}
        seal = await self.sealer.of(tx.workspace)
        now = self.clock.now()
        return [said for each in envelopes if (said := _answer(each, kept, seal, now)) is not None]


def _answer(
    envelope: Envelope, kept: Mapping[tuple[str, int], RawVersion], seal: WorkspaceSeal, now: datetime
) -> Envelope | None:
    payload = envelope.payload
    if isinstance(payload, WindowPulled):
        passed_on = WindowNormalized(
            provider=payload.provider, window=payload.window, through=payload.through, bucket=payload.bucket
        )
        return enveloped(
            passed_on, workspace=envelope.workspace, record=envelope.record, cause=envelope.id, occurred_at=now
        )
    if not isinstance(payload, RecordPulled):
        return None
    version = kept.get((envelope.record, payload.version))
    if version is None:
        raise Malformed("A version of a record that was pulled is not among the raw records.", code="raw_record_gone")
    return said(version, seal, workspace=envelope.workspace, cause=envelope.id, now=now)


def said(version: RawVersion, seal: WorkspaceSeal, *, workspace: UUID, cause: UUID, now: datetime) -> Envelope:
    """A raw version's event, addressed."""
    return enveloped(
        _entity_event(version, seal), workspace=workspace, record=version.record, cause=cause, occurred_at=now
    )


def _entity_event(version: RawVersion, seal: WorkspaceSeal) -> EntityNormalized | EntityWithdrawn | EntityMalformed:
    words = orjson.loads(seal.open(version.sealed, **place(version.record, version.version)))
    return normalized(words, kind=version.kind, version=version.version, content_sha256=version.content_sha256)
