"""Reads a client's document from wherever a stranger says it lies, and from nowhere that a stranger must not reach.

1. The address is https with a path (`domain/registration.py`).
2. Its name is resolved here, and every address behind it must be a public one.
3. The connection goes to one of those addresses and to no other: a name that answers differently the next time leads
   nowhere. The certificate is still asked for the name.
4. No redirect is followed, nothing of ours is sent along, and time, size and calls under way have limits.

Source: draft-ietf-oauth-client-id-metadata-document, sections 4 and 6 (server-side request forgery).
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import ssl
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from typing import Final
from urllib.parse import urlsplit

import httpx
import orjson
from aiolimiter import AsyncLimiter

from libs.contracts.errors import Rejected, Transient
from services.xero_mcp.domain.registration import METADATA_MAX_BYTES

READ_SECONDS: Final = 5.0
"""Seconds for one document, names and all: a person waits in front of the browser."""

READS_AT_ONCE: Final = 4
"""Documents read side by side, and threads that resolve their names. A stranger's name server may hold a thread much
longer than a read lasts, so they have threads of their own: those of the loop find Xero and auth."""

READS_A_MINUTE: Final = 60
"""Documents read in a minute. Anybody can have us read one, and nobody shall flood somebody else through us."""

_HTTPS: Final = 443
"""The port of an https address that names none. Source: RFC 9110, section 4.2.2."""

_TRANSLATED: Final = ipaddress.ip_network("64:ff9b::/96")
"""IPv4 behind NAT64 (RFC 6052): public as a whole, and a door to any address inside."""


def addresses_of(host: str, port: int) -> list[str]:
    """What a name stands for, as the machine has it resolved; it may take as long as a name server likes.

    Raises:
        OSError: For nothing, or it cannot be known now.
    """
    return [str(entry[4][0]) for entry in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


class FetchedDocuments:
    """Documents over https.

    Args:
        trusted: Whose certificates are believed.
        from_loopback: Whether this machine may keep documents too, which is for those who write a client on it.
        seconds: How long one may take.
        resolve: Finds the addresses of a host, in a thread.
    """

    def __init__(
        self,
        trusted: ssl.SSLContext,
        *,
        from_loopback: bool,
        seconds: float = READ_SECONDS,
        resolve: Callable[[str, int], list[str]] = addresses_of,
    ) -> None:
        self._trusted = trusted
        self._seconds = seconds
        self._from_loopback = from_loopback
        self._under_way = 0
        self._pace = AsyncLimiter(READS_A_MINUTE, 60)
        self._resolve = resolve
        self._resolvers = ThreadPoolExecutor(READS_AT_ONCE, thread_name_prefix="client-documents")

    async def read(self, address: str) -> object:
        """What the JSON at an address says.

        Raises:
            Rejected: `client_document` when there is none that may be read.
            Transient: It could not be read just now.
        """
        if self._under_way >= READS_AT_ONCE or not self._pace.has_capacity():
            raise Transient("Too many programs show documents now.", retry_after_seconds=self._seconds)
        self._under_way += 1
        try:
            async with self._pace, asyncio.timeout(self._seconds):
                return _json_of(await self._body(address))
        except (TimeoutError, httpx.HTTPError, OSError):
            raise Transient("The program's document could not be read.") from None
        finally:
            self._under_way -= 1

    async def _body(self, address: str) -> bytes:
        parts = urlsplit(address)
        host, port = parts.hostname or "", parts.port or _HTTPS
        reached = await self._reached(host, port)
        url = httpx.URL(address).copy_with(host=reached)
        headers = {"Host": parts.netloc, "Accept": "application/json", "Accept-Encoding": "identity"}
        async with (
            httpx.AsyncClient(verify=self._trusted, trust_env=False, timeout=self._seconds) as http,
            http.stream("GET", url, headers=headers, extensions={"sni_hostname": host}) as answer,
        ):
            if answer.status_code != HTTPStatus.OK:
                raise _refused("it is not there")
            body = b""
            async for chunk in answer.aiter_raw():
                body += chunk
                if len(body) > METADATA_MAX_BYTES:
                    raise _refused(f"it has more than {METADATA_MAX_BYTES} bytes")
            return body

    async def _reached(self, host: str, port: int) -> str:
        """The one address to connect to."""
        loop = asyncio.get_running_loop()
        found = await loop.run_in_executor(self._resolvers, self._resolve, host, port)
        if not found or not all(is_open(address, loopback=self._from_loopback) for address in found):
            raise _refused("it does not lie in the public internet")
        return found[0]


def is_open(address: str, *, loopback: bool) -> bool:
    """Whether a stranger may have us connect to this IP address: a public one, and one that hides no other inside."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.ipv4_mapped is not None:
            return is_open(str(ip.ipv4_mapped), loopback=loopback)
        if ip.sixtofour is not None or ip.teredo is not None or ip in _TRANSLATED or ip.is_site_local:
            return False
    if ip.is_loopback:
        return loopback
    return ip.is_global and not (ip.is_multicast or ip.is_reserved or ip.is_unspecified)


def _json_of(body: bytes) -> object:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        raise _refused("it is no JSON") from None


def _refused(why: str) -> Rejected:
    return Rejected(f"The program's document cannot be read: {why}.", code="client_document")
