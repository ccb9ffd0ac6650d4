"""xero.raw.v1 and qonto.raw.v1: a provider's words arrived and are kept."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from libs.contracts.identity import BUCKETS, Provider, RecordKind
from libs.contracts.model import Instant, Published, Sha256


class RecordPulled(Published):
    """A new version of a record lies in ingest's store. An unchanged record makes no event.

    `version` counts the versions we have seen of this record, from 1.
    """

    type: Literal["RecordPulled"] = "RecordPulled"
    provider: Provider
    kind: RecordKind
    content_sha256: Sha256
    version: Annotated[int, Field(ge=1)]


class WindowPulled(Published):
    """Everything a provider changed up to `through` has been pulled and stands before this event in this bucket.

    Said once in every bucket of the log. Who has read it in all of them has read the whole window, whatever
    carried the events and in whatever order the buckets were read.
    """

    type: Literal["WindowPulled"] = "WindowPulled"
    provider: Provider
    window: str
    through: Instant
    bucket: Annotated[int, Field(ge=0, lt=BUCKETS)]


class WindowNormalized(Published):
    """The same promise one stage later: every entity of the window stands before this event in this bucket."""

    type: Literal["WindowNormalized"] = "WindowNormalized"
    provider: Provider
    window: str
    through: Instant
    bucket: Annotated[int, Field(ge=0, lt=BUCKETS)]
