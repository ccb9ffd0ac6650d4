"""auth.consented.v1: what a workspace has allowed, lost, and taken back."""

from __future__ import annotations

from typing import Literal

from libs.contracts.identity import Provider
from libs.contracts.model import Published, Sentence


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
