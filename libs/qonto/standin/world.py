"""Everything one running stand-in shares between its handlers."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Final

from aiohttp import web

from libs.qonto.standin.faults import Faults
from libs.qonto.standin.limits import Limits
from libs.qonto.standin.settings import Settings
from libs.qonto.standin.store import Store, micros_of
from libs.runtime.clock import ShiftedClock

_SETTINGS: Final = "settings"
_ADVANCED: Final = "advanced_seconds"


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
        kept = store.kept(_SETTINGS)
        self.settings = Settings() if kept is None else Settings.model_validate_json(kept)

    def change_settings(self, changes: dict[str, object]) -> None:
        """Take new settings over the old ones and keep them.

        Raises:
            ValidationError: pydantic's, for a name nobody knows or a value that cannot be.
        """
        self.settings = Settings.model_validate({**self.settings.model_dump(), **changes})
        self.store.keep(_SETTINGS, self.settings.model_dump_json())

    @property
    def advanced_seconds(self) -> float:
        """How far the clock was moved through this store, so that a restart need not turn it back."""
        return float(self.store.kept(_ADVANCED) or 0)

    def advance(self, seconds: float) -> None:
        """Move the clock forward, for this process and for the next one on the same file."""
        self.clock.advance(seconds)
        self.store.keep(_ADVANCED, repr(self.advanced_seconds + seconds))

    def now(self) -> datetime:
        """The instant here."""
        return self.clock.now()

    def micros(self) -> int:
        """The same, as the store counts it."""
        return micros_of(self.clock.now())

    def forget(self) -> None:
        """Forget everything but the time."""
        advanced = self.advanced_seconds
        self.store.empty()
        self.store.keep(_ADVANCED, repr(advanced))
        self.faults = Faults()
        self.limits = Limits()
        self.settings = Settings()


WORLD: Final = web.AppKey("world", World)
