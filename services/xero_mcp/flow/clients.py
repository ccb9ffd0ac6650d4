"""Who may ask a person for consent: programs that registered, and programs known by a document at their own address."""

from __future__ import annotations

import secrets
from collections import OrderedDict
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID, uuid4

import orjson

from libs.contracts.errors import Rejected, Transient
from libs.crypto.bearer import INSTALLATION
from libs.database.port import Database
from libs.runtime.clock import Clock, is_within
from services.xero_mcp.domain.registration import (
    CLIENTS_MAX,
    IDLE_KEPT,
    REGISTRATIONS_A_MINUTE,
    UNUSED_KEPT,
    Client,
    Refusal,
    documented,
    is_document_address,
    registered,
)
from services.xero_mcp.ports import ClientDocuments, XeroMcpStore

DOCUMENTS_KEPT: Final = 128
"""Documents remembered; the one unused for longest goes first."""

DOCUMENT_BELIEVED: Final = timedelta(minutes=5)
"""How long a document is believed: a few clicks of one person, and soon over when its owner corrects it."""

SECRET_BYTES: Final = 32
"""Bytes of a client's secret, as of every other secret of ours."""

_A_MINUTE: Final = timedelta(minutes=1)


class Clients:
    """Every program that is known, or can be."""

    def __init__(self, *, database: Database, store: XeroMcpStore, documents: ClientDocuments, clock: Clock) -> None:
        self._database = database
        self._store = store
        self._documents = documents
        self._clock = clock
        self._remembered: OrderedDict[str, tuple[datetime, Client]] = OrderedDict()

    async def register(self, words: Mapping[str, Any]) -> Client:
        """Keep a registration (RFC 7591).

        Raises:
            Rejected: With a word of RFC 7591 as its code: it asks for what is not given.
            Transient: Too many register just now.
        """
        said = {name: value for name, value in words.items() if value is not None}
        client = registered(said, client_id=str(uuid4()), secret=secrets.token_urlsafe(SECRET_BYTES))
        if isinstance(client, Refusal):
            raise Rejected(client.sentence, code=client.error)
        now = self._clock.now()
        async with self._database.transaction(INSTALLATION) as tx:
            # Two that register at once may both take the last place: the limits keep a table small and are not exact.
            if await self._store.count_clients(tx, made_after=now - _A_MINUTE) >= REGISTRATIONS_A_MINUTE:
                raise Transient("Too many programs register now.", retry_after_seconds=_A_MINUTE.total_seconds())
            await self._store.sweep_clients(tx, unused_before=now - UNUSED_KEPT, idle_before=now - IDLE_KEPT)
            if await self._store.count_clients(tx) >= CLIENTS_MAX:
                sentence = "As many programs are registered as there is room for."
                raise Transient(sentence, retry_after_seconds=UNUSED_KEPT.total_seconds())
            await self._store.add_client(tx, client.id, _kept(client), now=now)
        return client

    async def asking(self, client_id: str) -> Client | None:
        """The program that sends a browser, or None when there is no such.

        Raises:
            Rejected: `client_document` or a word of RFC 7591: its document cannot be read or does not speak for it.
            Transient: Its document cannot be read just now.
        """
        if is_document_address(client_id):
            return await self._documented(client_id)
        return await self._registered(client_id)

    async def coming_for_tokens(self, client_id: str) -> Client | None:
        """The program that presents a code or token, or None when there is no such.

        A document is not read again for it: a client known by one is public, so it has nothing to prove, and its codes
        and tokens are bound to its id.
        """
        if is_document_address(client_id):
            return Client(client_id, "", ())
        return await self._registered(client_id)

    async def _registered(self, client_id: str) -> Client | None:
        try:
            UUID(client_id)  # else it is no text that a database can be asked about
        except ValueError:
            return None
        async with self._database.transaction(INSTALLATION) as tx:
            metadata = await self._store.client(tx, client_id)
        return None if metadata is None else _client_of(client_id, metadata)

    async def _documented(self, address: str) -> Client:
        now = self._clock.now()
        since, remembered = self._remembered.get(address, (now, None))
        if remembered is not None and is_within(DOCUMENT_BELIEVED, since=since, now=now):
            self._remembered.move_to_end(address)
            return remembered
        client = documented(await self._documents.read(address), address=address)
        if isinstance(client, Refusal):
            raise Rejected(client.sentence, code=client.error)
        self._remembered[address] = (now, client)
        if len(self._remembered) > DOCUMENTS_KEPT:
            self._remembered.popitem(last=False)
        return client


def metadata_of(client: Client) -> dict[str, Any]:
    """What a registration is answered with, in the words of RFC 7591, without what identifies or proves the client."""
    grants = ["authorization_code", "refresh_token"] if client.refreshes else ["authorization_code"]
    return {
        "client_name": client.name,
        "redirect_uris": list(client.redirect_uris),
        "grant_types": grants,
        "response_types": ["code"],
        "token_endpoint_auth_method": client.auth_method,
    }


def _kept(client: Client) -> bytes:
    return orjson.dumps({**metadata_of(client), "client_secret": client.secret})


def _client_of(client_id: str, metadata: bytes) -> Client:
    words = orjson.loads(metadata)
    return Client(
        id=client_id,
        name=words.get("client_name") or "",
        redirect_uris=tuple(words["redirect_uris"]),
        refreshes="refresh_token" in words["grant_types"],
        auth_method=words["token_endpoint_auth_method"],
        secret=words.get("client_secret"),
    )
