"""What a person's yes to a program is known by, at auth, which keeps it, and at the MCP server, which acts on it."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True)
class Consented:
    """A person of a workspace lets a program read.

    Attributes:
        workspace: Whose Xero it reads.
        consent: Everything that it ever gets for this one answer comes from it, and ends with it.
    """

    workspace: UUID
    consent: UUID
