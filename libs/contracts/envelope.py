"""What travels: an event and the attributes around it. The attributes are CloudEvents' under our names."""

from __future__ import annotations

from datetime import datetime
from functools import cached_property
from uuid import UUID

from pydantic import ValidationError

from libs.contracts.errors import Malformed
from libs.contracts.events import Event
from libs.contracts.identity import bucket_of, derived_id, key_of
from libs.contracts.model import Instant, Published
from libs.contracts.topics import topic_of


class Envelope(Published):
    """One event, addressed.

    `cause` is the id of the event this one follows from, or a derived id that names the outside cause; with it a
    trail can be put in order of cause, whatever clock wrote `occurred_at`.
    """

    id: UUID
    workspace: UUID
    topic: str
    record: str
    cause: UUID
    occurred_at: Instant
    payload: Event

    @property
    def key(self) -> str:
        """What orders it."""
        return key_of(self.workspace, self.record)

    @cached_property
    def bucket(self) -> int:
        """Where in a log it lies."""
        return bucket_of(self.key)


def enveloped(
    payload: Event, *, workspace: UUID, record: str, cause: UUID, occurred_at: datetime, topic: str | None = None
) -> Envelope:
    """Address an event. Its id follows from its cause, its type and its record: a replay makes the same id.

    Args:
        payload: The event.
        workspace: Whose it is.
        record: The record it is about; with the workspace it is the key.
        cause: The id of the event that led to it, or `derived_id(...)` of the outside cause.
        occurred_at: When it was decided, by the clock that was passed in.
        topic: Set for dead letters only; every other type has its topic in the registry.
    """
    return Envelope(
        id=derived_id(workspace, cause, payload.type, record),
        workspace=workspace,
        topic=topic or topic_of(payload.type, getattr(payload, "provider", None)),
        record=record,
        cause=cause,
        occurred_at=occurred_at,
        payload=payload,
    )


def decoded(words: bytes, *, where: str) -> Envelope:
    """An event from its JSON. Fields that this version does not know are passed over: a newer one may have added them.

    Args:
        words: The JSON.
        where: Whose events it lay among, for the person who reads the sentence.

    Raises:
        Malformed: `unknown_event` when it is none, or of a type or with a value that this version does not know.
    """
    try:
        return Envelope.model_validate_json(words, extra="ignore")
    except ValidationError as error:
        raise Malformed(f"An event of {where} is none that this version knows.", code="unknown_event") from error
