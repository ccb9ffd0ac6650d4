"""What a fresh stand-in holds: a client, an organization, and a secret for the addresses it signs."""

from __future__ import annotations

import secrets
from typing import Final
from uuid import UUID

from libs.qonto.standin.grants import add_client
from libs.qonto.standin.organizations import open_organization, organizations
from libs.qonto.standin.world import World

DEFAULT_ORGANIZATION: Final = UUID("0d0c0de0-9a4f-4d1c-8b7e-5a1f2e3d4c5b")
"""The organization a fresh stand-in begins with, so that a consent has something to choose."""

DEFAULT_CLIENT: Final = "well-demo"
DEFAULT_CLIENT_SECRET: Final = "well-demo-secret"  # noqa: S105  known to everybody: it opens a stand-in

SIGNING_KEY: Final = "signing"


def begin(world: World) -> None:
    """See to it that nothing is missing; what a file holds already stays as it is."""
    if not organizations(world):
        open_organization(world, str(DEFAULT_ORGANIZATION), "Maison Tilleul SAS")
        add_client(world, DEFAULT_CLIENT, DEFAULT_CLIENT_SECRET, [], any_loopback_port=True)
        world.store.keep(SIGNING_KEY, secrets.token_hex(16))
