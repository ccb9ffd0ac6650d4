"""Messages about made-up records, as the relays of all services would send them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from libs.bus.kafka.message import LogRow, Message, message_of
from libs.contracts.envelope import Envelope, enveloped
from libs.contracts.events import MatchDecided, Verdict
from libs.contracts.identity import bucket_of, derived_id, key_of
from libs.contracts.topics import log_of
from libs.crypto.seal import WorkspaceSeal
from libs.eventlog.port import Position, RawDelivery

TOPIC_OF = {
    "RecordPulled": "xero.raw.v1",
    "EntityNormalized": "entity.normalized.v1",
    "MatchDecided": "match.decided.v1",
    "SignedOff": "match.signed_off.v1",
    "DocumentFetched": "document.fetched.v1",
    "PostSettled": "qonto.posted.v1",
    "PostRejected": "qonto.posted.v1",
    "PostVerified": "qonto.posted.v1",
    "PostIntended": "qonto.posted.v1",
}


@dataclass(frozen=True)
class Sent:
    """A message and where it goes. `topic` is in the registry's words."""

    topic: str
    bucket: int
    message: Message
    event_id: UUID
    verdict: Verdict | None = None


@dataclass
class Storyteller:
    """Numbers events as their logs would, and seals decisions for who may open them."""

    seal: WorkspaceSeal
    workspace: UUID
    _sequences: Counter[tuple[str, int]] = field(default_factory=Counter)

    def told(self, record: str, type_: str, at: datetime, *, verdict: Verdict | None = None) -> Sent:
        """One event of a record."""
        topic = TOPIC_OF[type_]
        log, bucket = log_of(topic), bucket_of(key_of(self.workspace, record))
        self._sequences[log, bucket] += 1
        sequence = self._sequences[log, bucket]
        event_id = derived_id(self.workspace, log, bucket, sequence)
        sealed = b"sealed"
        if verdict is not None:
            event = self._decision(record, at, verdict)
            event_id = event.id
            plain = event.model_dump_json().encode()
            sealed = self.seal.seal(plain, table=f"{log}.event_log", row=str(event_id), column="sealed")
        raw = RawDelivery(Position(log, topic, bucket, sequence), self.workspace, event_id, sealed)
        row = LogRow(raw, type_, at, self.seal.blind("record", record), 0)
        return Sent(topic, bucket, message_of(row), event_id, verdict)

    def bill(self, record: str, at: datetime, verdict: Verdict = "post") -> Sequence[Sent]:
        """A bill from its first pull to as far as its verdict lets it go, a second a stage."""
        way: list[tuple[str, Verdict | None]] = [("RecordPulled", None), ("EntityNormalized", None)]
        way.append(("MatchDecided", verdict))
        if verdict == "post":
            way += [("DocumentFetched", None), ("PostIntended", None), ("PostSettled", None), ("PostVerified", None)]
        return [
            self.told(record, type_, at + timedelta(seconds=nth), verdict=decided)
            for nth, (type_, decided) in enumerate(way)
        ]

    def _decision(self, record: str, at: datetime, verdict: Verdict) -> Envelope:
        payload = MatchDecided(
            verdict=verdict,
            reason="for_a_test",
            sentence="It was decided.",
            generation=1,
            bill_sha256="0" * 64,
            confidence=0.9,
            none_confidence=0.1,
            model="m1",
            policy="p1",
        )
        cause = derived_id(record, at)
        return enveloped(payload, workspace=self.workspace, record=record, cause=cause, occurred_at=at)
