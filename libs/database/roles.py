"""The login roles of services. None of them owns anything or can bypass row-level security."""

from __future__ import annotations

import hashlib
import hmac
from typing import Final

from libs.crypto.service_secret import service_secret

RELAY: Final = "well_relay"
"""The role that carries logs: reads every event log, sealed as it is, and when jobs are due; writes nothing. A
service's login may become it on connections of its own, and has none of its rights on others."""


def role_of(service: str) -> str:
    """The login role of a service."""
    return f"well_{service}"


def role_password(secret: bytes, role: str) -> str:
    """The password of a role, derived from the secret of the service that logs in as it."""
    return hmac.new(secret, f"postgres-role/{role}".encode(), hashlib.sha256).hexdigest()


def password_from(master: bytes, service: str) -> str:
    """The password of a service's role, from the secret of the installation; of `RELAY` for the service `relay`."""
    return role_password(service_secret(master, service), role_of(service))
