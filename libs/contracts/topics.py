"""The registry of topics: each declared once, with who writes it, who reads it and how long it is kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

Service = Literal["auth", "ingest", "matcher", "pusher", "console", "audit", "insights"]

TEN_YEARS_DAYS: Final = 3653
"""Days. French bookkeeping documents are kept ten years. Source: Code de commerce, L123-22."""

DLQ_DAYS: Final = 90
"""Days. A quarter: long enough to mend a decoder and replay, short enough not to become an archive."""

INSIGHTS_DEAD_LETTERS: Final = "insights.dlq"
"""Messages that insights could not read, as they came. They are no events, so that it stands beside the registry."""


@dataclass(frozen=True)
class Topic:
    """One stream of events.

    Attributes:
        name: `<noun>.<past participle>.v<major>`.
        types: The event types it carries, and no others.
        owner: The one service that writes it.
        readers: The services that read it.
        retention_days: How long its events are kept.
        compacted: Whether only the last event of each record is kept. No topic is: readers count on every event of it.
        classification: `regional` stays in the workspace's region; `ferried` may cross to the region that calls Qonto.
    """

    name: str
    types: tuple[str, ...]
    owner: Service
    readers: tuple[Service, ...]
    retention_days: int = TEN_YEARS_DAYS
    compacted: bool = False
    classification: Literal["regional", "ferried"] = "regional"


TOPICS: Final[tuple[Topic, ...]] = (
    Topic(
        "auth.consented.v1",
        ("ConsentGranted", "ConsentLost", "ConsentRevoked", "KeyRotated", "WorkspaceErased"),
        owner="auth",
        readers=("audit",),
    ),
    Topic("xero.raw.v1", ("RecordPulled", "WindowPulled"), owner="ingest", readers=("ingest", "audit", "insights")),
    Topic("qonto.raw.v1", ("RecordPulled", "WindowPulled"), owner="ingest", readers=("ingest", "audit", "insights")),
    Topic(
        "entity.normalized.v1",
        ("EntityNormalized", "EntityWithdrawn", "EntityMalformed", "WindowNormalized"),
        owner="ingest",
        readers=("matcher", "console", "audit", "insights"),
    ),
    Topic(
        "match.decided.v1",
        ("MatchDecided",),
        owner="matcher",
        readers=("ingest", "pusher", "console", "audit", "insights"),
    ),
    Topic("match.signed_off.v1", ("SignedOff",), owner="console", readers=("matcher", "console", "audit", "insights")),
    Topic(
        "document.fetched.v1",
        ("DocumentFetched", "DocumentMissing"),
        owner="ingest",
        readers=("pusher", "audit", "insights"),
    ),
    Topic(
        "qonto.posted.v1",
        (
            "PostIntended",
            "PostSent",
            "PostSettled",
            "PostRejected",
            "PostUnknown",
            "PostWithdrawn",
            "PostVerified",
            "PostDiffers",
            "PostUnchecked",
        ),
        owner="pusher",
        readers=("matcher", "console", "audit", "insights"),
    ),
)

BY_NAME: Final = {topic.name: topic for topic in TOPICS}

_BY_TYPE: Final = {
    (type_, topic.name.split(".")[0] if topic.name.endswith(".raw.v1") else None): topic.name
    for topic in TOPICS
    for type_ in topic.types
}


def topic_of(type_: str, provider: str | None = None) -> str:
    """The topic that carries an event type; `provider` decides between the two raw topics.

    Raises:
        KeyError: No topic of the registry carries the type, which is a mistake in our own code.
    """
    return _BY_TYPE.get((type_, None)) or _BY_TYPE[type_, provider]


def log_of(topic: str) -> Service:
    """The log that holds a topic's events: its owner's.

    Raises:
        KeyError: The registry does not name the topic, which is a mistake in our own code.
    """
    return BY_NAME[topic].owner


def dead_letters_of(topic: str) -> str:
    """The topic for what could not be handled of another."""
    return f"{topic}.dlq"
