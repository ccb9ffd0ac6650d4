"""The login roles of services. None of them owns anything or can bypass row-level security."""

from __future__ import annotations

import hashlib
import hmac
from typing import Final

RELAY: Final = "well_relay"
"""The role that carries logs: reads every event log, sealed as it is, and when jobs are due; writes nothing."""


def role_of(service: str) -> str:
    """The login role of a service."""
    return f"well_{service}"


def role_password(secret: bytes, role: str) -> str:
    """The password of a role, derived from a secret that every process of the installation is given."""
    return hmac.new(secret, f"postgres-role/{role}".encode(), hashlib.sha256).hexdigest()
