"""What a file is called that Well itself uploaded to Qonto; whoever reads Qonto tells by it whose doing it was."""

from __future__ import annotations

import re
from typing import Final
from uuid import UUID

TOKEN_CHARACTERS: Final = 12
"""Hexadecimal digits of the posting in its file name: 48 bits. A look compares some hundred postings with some hundred
invoices of one window of one workspace; two are alike by chance once in a billion looks."""

_OURS: Final = re.compile(rf".+-[0-9a-f]{{{TOKEN_CHARACTERS}}}\.[a-z]+")


def upload_name(words: str, posting: UUID, extension: str) -> str:
    """The name of the upload of a posting: some words, its token, and what kind of file it is."""
    return f"{words}-{token_of(posting)}.{extension}"


def token_of(posting: UUID) -> str:
    """What a file name of this posting contains and no other does."""
    return posting.hex[:TOKEN_CHARACTERS]


def is_upload_name(file_name: str | None) -> bool:
    """Whether a file is called as Well calls its uploads. Somebody else's may be, once in a great while."""
    return file_name is not None and _OURS.fullmatch(file_name) is not None
