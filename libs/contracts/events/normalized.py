"""entity.normalized.v1: a record in our own form, or the reason why it has none."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from libs.contracts.entities import Entity
from libs.contracts.identity import RecordKind
from libs.contracts.model import Published, Sentence, Sha256


class EntityNormalized(Published):
    """A version of a record in our form. `content_sha256` is of the provider's words it was made from."""

    type: Literal["EntityNormalized"] = "EntityNormalized"
    entity: Entity
    content_sha256: Sha256
    version: Annotated[int, Field(ge=1)]


class EntityWithdrawn(Published):
    """The provider voided, deleted or merged the record: what waits on it must not go on."""

    type: Literal["EntityWithdrawn"] = "EntityWithdrawn"
    kind: RecordKind
    reason: Literal["voided", "deleted", "merged", "rejected"]
    version: Annotated[int, Field(ge=1)]
    sentence: Sentence


class EntityMalformed(Published):
    """The provider's words could not be read as a record of its kind. They are kept; nothing else stops."""

    type: Literal["EntityMalformed"] = "EntityMalformed"
    kind: RecordKind
    code: str
    version: Annotated[int, Field(ge=1)]
    sentence: Sentence
