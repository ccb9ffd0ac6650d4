"""Whether a person still lets a program read: asked of auth, and believed for some seconds."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Final

from libs.contracts.consented import Consented
from libs.contracts.errors import Malformed, Rejected, Transient
from libs.runtime.clock import Clock, is_within
from services.xero_mcp.flow.tokens import McpTokens
from services.xero_mcp.ports import Consents

REMEMBERED_CONSENTS: Final = 1024
"""Consents that were found to stand some seconds ago; the one asked about longest ago goes first."""


class Standing:
    """The consents of all programs, and the tokens that end with them."""

    def __init__(self, *, consents: Consents, tokens: McpTokens, clock: Clock, believed_seconds: float) -> None:
        self._consents = consents
        self._tokens = tokens
        self._clock = clock
        self._believed = timedelta(seconds=believed_seconds)
        self._found_at: OrderedDict[Consented, datetime] = OrderedDict()

    async def of(self, consented: Consented) -> bool:
        """Whether a consent stands. When it does not, all that came from it has ended with this.

        Raises:
            Transient: Auth does not answer, or not to us.
        """
        now, found_at = self._clock.now(), self._found_at.get(consented)
        if found_at is not None and is_within(self._believed, since=found_at, now=now):
            return True
        with _auth_tells():
            stands = await self._consents.consent_stands(consented)
        if stands:
            self._remember(consented, now)
        else:
            self._found_at.pop(consented, None)
            await self._tokens.end(consented)
        return stands

    async def end(self, consented: Consented) -> None:
        """End a consent for its program, and everything that came from it.

        Raises:
            Transient: Auth or the database does not answer. It may stand; doing it again ends it.
        """
        with _auth_tells():
            await self._consents.end_consent(consented)
        self._found_at.pop(consented, None)
        await self._tokens.end(consented)

    def _remember(self, consented: Consented, now: datetime) -> None:
        self._found_at[consented] = now
        self._found_at.move_to_end(consented)
        if len(self._found_at) > REMEMBERED_CONSENTS:
            self._found_at.popitem(last=False)


@contextmanager
def _auth_tells() -> Iterator[None]:
    """What auth refuses to us, for the sake of clocks or versions, says nothing about a program, which comes back."""
    try:
        yield
    except (Rejected, Malformed) as refusal:
        raise Transient("Nobody can tell just now whether the consent stands.") from refusal
