"""Everything one running stand-in shares between its handlers."""

from __future__ import annotations

import asyncio
import secrets
from datetime import datetime
from typing import Final
from uuid import UUID

import orjson
from aiohttp import web

from libs.qonto.standin.faults import Faults
from libs.qonto.standin.limits import Limits
from libs.qonto.standin.organizations import organization_document
from libs.qonto.standin.settings import Settings, load_settings, save_settings
from libs.qonto.standin.store import Store, micros_of
from libs.runtime.clock import ShiftedClock

DEFAULT_ORGANIZATION: Final = UUID("0d0c0de0-9a4f-4d1c-8b7e-5a1f2e3d4c5b")
"""The organization a fresh stand-in begins with, so that a consent has something to choose."""

DEFAULT_CLIENT: Final = "well-demo"
DEFAULT_CLIENT_SECRET: Final = "well-demo-secret"  # noqa: S105  known to everybody: it opens a stand-in


class World:
    """The store, the clock and the switches.

    Args:
        store: What is held; its owner closes it.
        clock: What time it is here; control may move it forward.
    """

    def __init__(self, store: Store, clock: ShiftedClock) -> None:
        self.store = store
        self.clock = clock
        self.faults = Faults()
        self.limits = Limits()
        self.closing = asyncio.Event()
        self.settings = load_settings(store)
        self.begin()

    def begin(self) -> None:
        """See to it that there is a client, an organization and a secret for signed addresses."""
        self.store.run("insert or ignore into clients values (?, ?, '[]', 1)", DEFAULT_CLIENT, DEFAULT_CLIENT_SECRET)
        self.store.run("insert or ignore into settings values ('signing', ?)", secrets.token_hex(16))
        if not self.store.count("select count(*) from organizations"):
            self.add_organization(str(DEFAULT_ORGANIZATION), "Maison Tilleul SAS")
        row = self.store.row("select value from settings where name = 'signing'")
        self.signing_key = str(row["value"]).encode() if row else b""

    def add_organization(self, organization_id: str, name: str) -> None:
        """Open an organization, or give it another name."""
        document = orjson.dumps(organization_document(organization_id, name, self.clock.now())).decode()
        self.store.run(
            "insert into organizations (id, document) values (?, ?) "
            "on conflict (id) do update set document = excluded.document",
            organization_id,
            document,
        )

    def change_settings(self, changes: dict[str, object]) -> None:
        """Take new settings over the old ones and keep them; a name nobody knows is refused by pydantic."""
        self.settings = Settings.model_validate({**self.settings.model_dump(), **changes})
        save_settings(self.store, self.settings)

    def advance(self, seconds: float) -> None:
        """Move the clock forward, for this process and for the next one on the same file."""
        self.clock.advance(seconds)
        self.change_settings({"advanced_seconds": self.settings.advanced_seconds + seconds})

    def now(self) -> datetime:
        """The instant here."""
        return self.clock.now()

    def micros(self) -> int:
        """The same, as the store counts it."""
        return micros_of(self.clock.now())

    def reset(self) -> None:
        """Forget everything but the time."""
        advanced = self.settings.advanced_seconds
        self.store.empty()
        self.faults = Faults()
        self.limits = Limits()
        self.settings = Settings()
        self.change_settings({"advanced_seconds": advanced})
        self.begin()


WORLD: Final = web.AppKey("world", World)
