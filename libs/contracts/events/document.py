"""document.fetched.v1: the supplier's own file is here, or will not be."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from libs.contracts.entities import Document
from libs.contracts.model import Published, Sentence


class DocumentFetched(Published):
    """The file of a bill lies sealed in the blob store. `generation` is of the decision that asked for it."""

    type: Literal["DocumentFetched"] = "DocumentFetched"
    document: Document
    generation: Annotated[int, Field(ge=1)]


class DocumentMissing(Published):
    """There is no file that Qonto would take, and why."""

    type: Literal["DocumentMissing"] = "DocumentMissing"
    code: Literal["no_document", "document_too_large", "document_broken", "document_type"]
    sentence: Sentence
    generation: Annotated[int, Field(ge=1)]
