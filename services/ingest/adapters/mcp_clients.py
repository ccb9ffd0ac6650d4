"""Who we are at authorization servers of MCP servers: what each issuer gave us, shown to no other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from mcp.shared.auth import OAuthClientInformationFull, OAuthClientMetadata

from libs.crypto.bearer import INSTALLATION
from libs.crypto.keyring import Sealer
from libs.database.port import Database
from libs.runtime.clock import Clock
from services.ingest.ports import Store

ISSUERS_MAX: Final = 16
"""Issuers remembered. There is one for each MCP server, and a server that names a new one every day fills no table."""

_PLACE: Final = {"table": "ingest.mcp_client", "column": "sealed"}


@dataclass(frozen=True)
class KeptClients:
    """Registrations by issuer, sealed at rest, one for the whole installation."""

    database: Database
    store: Store
    sealer: Sealer
    clock: Clock

    async def known(self, issuer: str, asked: OAuthClientMetadata) -> OAuthClientInformationFull | None:
        """How this issuer registered us before, while that still allows what is asked for now."""
        async with self.database.transaction(INSTALLATION) as tx:
            sealed = await self.store.mcp_clients.get(tx, issuer)
        if sealed is None:
            return None
        body = (await self.sealer.of(INSTALLATION)).open(sealed, row=issuer, **_PLACE)
        known = OAuthClientInformationFull.model_validate_json(body)
        ended = 0 < (known.client_secret_expires_at or 0) <= self.clock.now().timestamp()
        allowed = set(asked.redirect_uris or ()) <= set(known.redirect_uris or ())
        return known if allowed and not ended else None

    async def keep(self, issuer: str, client: OAuthClientInformationFull) -> None:
        """Keep how an issuer registered us, in place of how it did before."""
        body = client.model_dump_json(exclude_none=True).encode()
        sealed = (await self.sealer.of(INSTALLATION)).seal(body, row=issuer, **_PLACE)
        async with self.database.transaction(INSTALLATION) as tx:
            await self.store.mcp_clients.put(tx, issuer, sealed, now=self.clock.now(), limit=ISSUERS_MAX)
