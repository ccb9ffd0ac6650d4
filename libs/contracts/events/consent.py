"""auth.consented.v1: what a workspace has allowed, lost and taken back; what became of its keys, and its end."""

from __future__ import annotations

from typing import Literal
from uuid import UUID

from libs.contracts.identity import KeyPurpose, Provider
from libs.contracts.model import Instant, Published, Sentence


class ConsentGranted(Published):
    """A person connected a provider. `account` is the Xero tenant or Qonto organization."""

    type: Literal["ConsentGranted"] = "ConsentGranted"
    provider: Provider
    account: str
    scopes: tuple[str, ...]


class ConsentLost(Published):
    """The provider stopped honouring our grant; the connection waits for a person."""

    type: Literal["ConsentLost"] = "ConsentLost"
    provider: Provider
    sentence: Sentence


class ConsentRevoked(Published):
    """A person disconnected the provider through Well."""

    type: Literal["ConsentRevoked"] = "ConsentRevoked"
    provider: Provider


class KeyRotated(Published):
    """The workspace has a new key for a purpose. It opens at once and seals from `seals_from` on; older ones stay."""

    type: Literal["KeyRotated"] = "KeyRotated"
    purpose: KeyPurpose
    key: UUID
    seals_from: Instant


class WorkspaceErased(Published):
    """The keys of the workspace `erased` were destroyed, and nothing of it opens. Said among what belongs to nobody."""

    type: Literal["WorkspaceErased"] = "WorkspaceErased"
    erased: UUID
