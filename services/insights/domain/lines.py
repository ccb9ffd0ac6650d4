"""What happened to one record, as a line of moments, and how one more is folded in.

A line is a set: the same moments give the same line in whatever order they come and however often. So what follows from
lines is the same after a crash, after a redelivery and after reading everything again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Final, NamedTuple, TypeAlias
from uuid import UUID

from libs.contracts.events import Verdict

MOMENTS_MAX: Final = 256
"""Moments of a line. A bill that goes all the way has eight, one that is edited every day for a fortnight about a
hundred; beyond that the newest stay, and the figures of that one record are of its newest moments."""


class Step(IntEnum):
    """What happened. The numbers order what happened in the same millisecond, and lie in Kafka: none may change."""

    PULLED = 10
    NORMALIZED = 20
    DECIDED_LINK = 30
    DECIDED_POST = 31
    DECIDED_REVIEW = 32
    DECIDED_UNMATCHED = 33
    DECIDED_INELIGIBLE = 34
    SIGNED_OFF = 40
    FETCHED = 50
    POSTED = 60
    REFUSED = 61
    VERIFIED = 70


DECIDED: Final[Mapping[Verdict, Step]] = {
    "link": Step.DECIDED_LINK,
    "post": Step.DECIDED_POST,
    "review": Step.DECIDED_REVIEW,
    "unmatched": Step.DECIDED_UNMATCHED,
    "ineligible": Step.DECIDED_INELIGIBLE,
}
"""The step of a decision, by its verdict."""

STEP_OF: Final[Mapping[str, Step]] = {
    "RecordPulled": Step.PULLED,
    "EntityNormalized": Step.NORMALIZED,
    "SignedOff": Step.SIGNED_OFF,
    "DocumentFetched": Step.FETCHED,
    "PostSettled": Step.POSTED,
    "PostRejected": Step.REFUSED,
    "PostVerified": Step.VERIFIED,
}
"""The step of an event, by its type. Types that are not here count for nothing, but decisions: those have a verdict."""


class Moment(NamedTuple):
    """One event of a record.

    Attributes:
        at_ms: When it was decided, in milliseconds since 1970.
        step: What happened.
        sequence: Its place in the bucket of the log that the step is of; with the record's bucket it is the event's
            identity.
    """

    at_ms: int
    step: Step
    sequence: int


Line: TypeAlias = tuple[Moment, ...]
"""The moments of a record in their order, each once."""


@dataclass(frozen=True)
class RecordKey:
    """Which record a line is of.

    Attributes:
        bucket: Its bucket in every log.
        workspace: Whose it is.
        record_key: Its blinded name, which nobody can read.
    """

    bucket: int
    workspace: UUID
    record_key: bytes


def folded(line: Line, moment: Moment) -> Line:
    """The line with one more moment; the same line when it holds the moment already, or only newer ones and is full."""
    if moment in line:
        return line
    return tuple(sorted((*line, moment))[-MOMENTS_MAX:])
