"""<topic>.dlq: what a consumer group could not handle, with the error and the way back."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from libs.contracts.identity import BUCKETS
from libs.contracts.model import Published, Sentence


class Parked(Published):
    """An event that its group gave up on. The original stands unchanged at (log, bucket, sequence)."""

    type: Literal["Parked"] = "Parked"
    group: str
    log: str
    bucket: Annotated[int, Field(ge=0, lt=BUCKETS)]
    sequence: Annotated[int, Field(ge=1)]
    event: UUID
    error: str
    sentence: Sentence
    attempts: Annotated[int, Field(ge=1)]
