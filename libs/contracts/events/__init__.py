"""Every event of Well. A type once released keeps its meaning; a change of meaning is a new major version."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, TypeAdapter

from libs.contracts.events.consent import ConsentGranted, ConsentLost, ConsentRevoked, KeyRotated, WorkspaceErased
from libs.contracts.events.decided import Candidate, EvidenceLine, ExpectedFields, MatchDecided, SignedOff, Verdict
from libs.contracts.events.document import DocumentFetched, DocumentMissing
from libs.contracts.events.normalized import EntityMalformed, EntityNormalized, EntityWithdrawn
from libs.contracts.events.parked import Parked
from libs.contracts.events.posted import (
    FieldDifference,
    PostDiffers,
    PostIntended,
    PostRejected,
    PostSent,
    PostSettled,
    PostUnchecked,
    PostUnknown,
    PostVerified,
    PostWithdrawn,
)
from libs.contracts.events.pulled import RecordPulled, WindowNormalized, WindowPulled

Event = Annotated[
    ConsentGranted
    | ConsentLost
    | ConsentRevoked
    | KeyRotated
    | WorkspaceErased
    | RecordPulled
    | WindowPulled
    | WindowNormalized
    | EntityNormalized
    | EntityWithdrawn
    | EntityMalformed
    | MatchDecided
    | SignedOff
    | DocumentFetched
    | DocumentMissing
    | PostIntended
    | PostSent
    | PostSettled
    | PostRejected
    | PostUnknown
    | PostWithdrawn
    | PostVerified
    | PostDiffers
    | PostUnchecked
    | Parked,
    Field(discriminator="type"),
]

EVENT: TypeAdapter[Event] = TypeAdapter(Event)

__all__ = [
    "EVENT",
    "Candidate",
    "ConsentGranted",
    "ConsentLost",
    "ConsentRevoked",
    "DocumentFetched",
    "DocumentMissing",
    "EntityMalformed",
    "EntityNormalized",
    "EntityWithdrawn",
    "Event",
    "EvidenceLine",
    "ExpectedFields",
    "FieldDifference",
    "KeyRotated",
    "MatchDecided",
    "Parked",
    "PostDiffers",
    "PostIntended",
    "PostRejected",
    "PostSent",
    "PostSettled",
    "PostUnchecked",
    "PostUnknown",
    "PostVerified",
    "PostWithdrawn",
    "RecordPulled",
    "SignedOff",
    "Verdict",
    "WindowNormalized",
    "WindowPulled",
    "WorkspaceErased",
]
