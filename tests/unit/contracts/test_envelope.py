"""An event is addressed by what caused it: a replay writes the same bytes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID, uuid4

import pytest
from pydantic import ValidationError

from libs.contracts.envelope import Envelope, enveloped
from libs.contracts.events import ConsentRevoked, PostSent, RecordPulled
from libs.contracts.identity import bucket_of

WORKSPACE = UUID("3b0c9a52-6d1e-4f7a-9c58-2f4b7e1a8d60")
CAUSE = UUID("93475445-2d47-517b-ab75-b65a0e870b54")
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
SENT = PostSent(posting=CAUSE, attempt=1)


def _sent(
    payload: PostSent = SENT, *, workspace: UUID = WORKSPACE, record: str = "xero/bill/1", cause: UUID = CAUSE
) -> Envelope:
    return enveloped(payload, workspace=workspace, record=record, cause=cause, occurred_at=NOON)


def test_the_same_cause_makes_the_same_bytes() -> None:
    assert _sent().model_dump_json() == _sent().model_dump_json()


def test_another_cause_record_workspace_or_type_makes_another_id() -> None:
    revoked = enveloped(
        ConsentRevoked(provider="xero"), workspace=WORKSPACE, record="xero/bill/1", cause=CAUSE, occurred_at=NOON
    )
    events = [_sent(), _sent(cause=uuid4()), _sent(record="xero/bill/2"), _sent(workspace=uuid4()), revoked]
    assert len({event.id for event in events}) == len(events)


def test_what_was_decided_is_no_part_of_the_id() -> None:
    assert _sent().id == _sent(PostSent(posting=CAUSE, attempt=2)).id


def test_a_record_of_a_workspace_has_one_key_and_one_bucket() -> None:
    assert _sent().key == f"{WORKSPACE}/xero/bill/1"
    assert _sent().bucket == bucket_of(_sent().key)


@pytest.mark.parametrize("provider", ["xero", "qonto"])
def test_a_raw_event_goes_to_the_topic_of_its_provider(provider: str) -> None:
    pulled = RecordPulled.model_validate(
        {"provider": provider, "kind": "bill", "content_sha256": "0" * 64, "version": 1}
    )
    event = enveloped(pulled, workspace=WORKSPACE, record="r", cause=CAUSE, occurred_at=NOON)
    assert event.topic == f"{provider}.raw.v1"


def test_instants_are_kept_in_utc_and_never_without_a_zone() -> None:
    paris = timezone(timedelta(hours=1))
    event = enveloped(SENT, workspace=WORKSPACE, record="r", cause=CAUSE, occurred_at=NOON.astimezone(paris))
    assert event.occurred_at.tzinfo is UTC
    assert event.occurred_at == NOON
    with pytest.raises(ValidationError, match="timezone"):
        enveloped(SENT, workspace=WORKSPACE, record="r", cause=CAUSE, occurred_at=NOON.replace(tzinfo=None))


def test_an_envelope_never_changes() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        _sent().record = "xero/bill/2"  # type: ignore[misc]  # the type checker refuses it too
