"""What an MCP server granted a workspace, sealed at rest."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from pydantic import Field, ValidationError

from libs.contracts.errors import Malformed
from libs.contracts.model import Instant, Published
from libs.crypto.keyring import Sealer
from libs.crypto.seal import WorkspaceSeal
from libs.database.port import Database
from services.ingest.ports import Store

CLOCKS_APART: Final = timedelta(seconds=30)
"""How far behind another's clock one may be and still believe its turn. Those further apart auth does not serve."""

_PLACE: Final = {"table": "ingest.mcp_grant", "column": "sealed"}


class Grant(Published):
    """Tokens, and all it takes to refresh them without asking anybody where.

    Attributes:
        issuer: The authorization server that registered us; what it gave is never shown to another.
        token_endpoint: Where tokens are refreshed.
        resource: What the tokens are for (RFC 8707).
        registration: Who we are at that issuer, in the words of RFC 7591, with our client id.
        access_token: The bearer token.
        refresh_token: None when the server gave none; a person then consents again when the access token ends.
        expires_at: When the access token ends; None when the server did not say.
    """

    issuer: str
    token_endpoint: str
    resource: str
    registration: dict[str, Any] = Field(repr=False)
    access_token: str = Field(repr=False)
    refresh_token: str | None = Field(repr=False)
    expires_at: Instant | None


@dataclass(frozen=True)
class GrantKeeper:
    """Loads and saves the grant of one workspace at one server."""

    database: Database
    store: Store
    sealer: Sealer
    workspace: UUID
    server: str

    async def load(self) -> Grant | None:
        """The grant, or None before the first consent.

        Raises:
            Malformed: What was kept does not open, or is no grant.
        """
        async with self.database.transaction(self.workspace) as tx:
            sealed = await self.store.grants.get(tx, self.server)
        return None if sealed is None else self._opened(await self.sealer.of(self.workspace), sealed)

    async def take_turn(self, *, now: datetime, until: datetime) -> bool:
        """Whether the caller may refresh the grant, alone until that instant or until it is saved."""
        async with self.database.transaction(self.workspace) as tx:
            longest = until + CLOCKS_APART
            return await self.store.grants.take_turn(tx, self.server, now=now, until=until, longest=longest)

    async def end_turn(self, *, until: datetime) -> None:
        """Let others refresh it, unless the turn until this instant was over and another has it."""
        async with self.database.transaction(self.workspace) as tx:
            await self.store.grants.end_turn(tx, self.server, until=until)

    async def save(self, grant: Grant) -> None:
        """Keep a grant, durable when this returns; whoever refreshes it has had its turn."""
        sealed = self._sealed(await self.sealer.of(self.workspace), grant)
        async with self.database.transaction(self.workspace) as tx:
            await self.store.grants.put(tx, self.server, sealed)

    async def replace(self, used: Grant, fresh: Grant) -> Grant | None:
        """Keep what a grant was refreshed to, unless another was kept or it was forgotten meanwhile.

        Returns:
            What is kept now.
        """
        seal = await self.sealer.of(self.workspace)
        async with self.database.transaction(self.workspace) as tx:
            sealed = await self.store.grants.get(tx, self.server, hold=True)
            kept = None if sealed is None else self._opened(seal, sealed)
            if kept is None or kept.access_token != used.access_token:
                return kept
            await self.store.grants.put(tx, self.server, self._sealed(seal, fresh))
        return fresh

    def _opened(self, seal: WorkspaceSeal, sealed: bytes) -> Grant:
        try:
            return Grant.model_validate_json(seal.open(sealed, row=self.server, **_PLACE))
        except ValidationError:
            raise Malformed("The kept grant of the Xero server is no grant; connect Xero again.") from None

    def _sealed(self, seal: WorkspaceSeal, grant: Grant) -> bytes:
        return seal.seal(grant.model_dump_json().encode(), row=self.server, **_PLACE)
