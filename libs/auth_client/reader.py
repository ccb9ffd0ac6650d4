"""Reads events as another team does: with a grant, for which auth shows the keys of one workspace."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

import httpx

from libs.auth_client import wire
from libs.auth_client.call import answer_as, answered
from libs.contracts.envelope import Envelope
from libs.contracts.errors import Rejected
from libs.contracts.model import reread
from libs.crypto.keyring import KEYS_KEPT
from libs.crypto.seal import WorkspaceOpening
from libs.eventlog.port import RawDelivery
from libs.runtime.clock import Clock, SystemClock, is_within


@dataclass
class GrantedReader:
    """The right to open one workspace's events.

    Attributes:
        grant: As it was handed over.
        url: Where auth listens.
        http: Closed by whoever opened it.
        clock: The one clock: keys are asked for again after `KEYS_KEPT`, as everywhere.
    """

    grant: str = field(repr=False)
    url: str
    http: httpx.AsyncClient
    clock: Clock = field(default_factory=SystemClock)
    _opening: WorkspaceOpening | None = field(default=None, repr=False)
    _since: datetime | None = field(default=None, repr=False)

    async def opening(self) -> WorkspaceOpening:
        """What opens, asked for at the first time and again when its time is over.

        Raises:
            Rejected: `reading_grant` when the grant has ended, or is none.
            Transient: Auth does not answer.
        """
        now = self.clock.now()
        if self._opening is None or self._since is None or not is_within(KEYS_KEPT, since=self._since, now=now):
            self._opening = None
            self._opening, self._since = await self._ask(), now
        return self._opening

    async def open(self, raw: RawDelivery) -> Envelope:
        """The event inside. A key that was not there before is asked for once more: the workspace may have a new one.

        Raises:
            Malformed: It does not open, or what is inside is no event that this version knows.
            Rejected: The grant has ended meanwhile.
            Transient: Auth does not answer.
        """
        opening = await self.opening()
        if not opening.knows_key_of(raw.sealed):
            opening = self._opening = await self._ask()
        table = f"{raw.position.log}.event_log"
        plain = opening.open(raw.sealed, table=table, row=str(raw.event_id), column="sealed")
        return reread(Envelope, plain, where=f"{table}.sealed")

    async def _ask(self) -> WorkspaceOpening:
        if not (self.grant.isascii() and self.grant.isprintable() and self.grant == self.grant.strip()):
            raise Rejected("This is no grant: it has characters that none has.", code="reading_grant")
        content = await answered(self.http, "GET", f"{self.url}{wire.PREFIX}/opening-keys", bearer=self.grant)
        return wire.opening_of(answer_as(content, wire.OpeningKeys))
