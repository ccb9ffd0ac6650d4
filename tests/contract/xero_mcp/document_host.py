"""A host on this machine that keeps the document of an MCP client, over TLS as it must."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from libs.runtime.listen import bound_socket, port_of
from tests.contract.xero_mcp.conftest import CALLBACK

PATH = "/about/client.json"


@dataclass
class DocumentHost:
    """What it says, and how often it was asked.

    Attributes:
        url: Where the document lies.
        trusted: Believes its certificate and no other.
        words: The document; bytes are sent as they are.
        status: The status it is sent with.
        silent: Whether the host takes a request and never answers.
    """

    url: str
    trusted: ssl.SSLContext
    words: dict[str, Any] | bytes = field(default_factory=dict)
    status: int = 200
    silent: bool = False
    asked: int = 0
    leaving: asyncio.Event = field(default_factory=asyncio.Event)

    async def answer(self, _: web.Request) -> web.Response:
        self.asked += 1
        if self.silent:
            await self.leaving.wait()
        headers = {"Location": "https://127.0.0.1/elsewhere"} if self.status == 302 else {}
        if isinstance(self.words, bytes):
            return web.Response(body=self.words, status=self.status, headers=headers)
        return web.json_response(self.words, status=self.status, headers=headers)


def document(url: str, **words: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    return {
        "client_id": url,
        "client_name": "Ledger on a desk",
        "redirect_uris": [CALLBACK],
        "grant_types": ["authorization_code", "refresh_token"],
        "token_endpoint_auth_method": "none",
        **words,
    }


@asynccontextmanager
async def document_host(folder: Path, names: Sequence[str] = ("localhost",)) -> AsyncIterator[DocumentHost]:
    """The host, with a certificate for these names."""
    bound = bound_socket()
    own = _certificate(folder, names)
    served = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    served.load_cert_chain(own)
    url = f"https://localhost:{port_of(bound)}{PATH}"
    host = DocumentHost(url, ssl.create_default_context(cafile=own), document(url))
    app = web.Application()
    app.router.add_get(PATH, host.answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    await web.SockSite(runner, bound, ssl_context=served).start()
    try:
        yield host
    finally:
        host.leaving.set()
        await runner.cleanup()


def _certificate(folder: Path, names: Sequence[str]) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "a host of this test")])
    now = datetime.now(UTC)
    alternatives: list[x509.GeneralName] = [x509.DNSName(each) for each in names]
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file = folder / "host.pem"
    file.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return file
