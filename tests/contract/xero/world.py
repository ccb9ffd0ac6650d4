"""A stand-in with one organisation, as the tests of Xero speak to it."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
from aiohttp import web

from libs.xero.client import XeroClient
from libs.xero.endpoints import READ_SCOPES
from libs.xero.standin import Standin

TENANT = "45e4708e-d862-4111-ab3a-dd8cd03913e1"
REDIRECT = "http://localhost:4712/connected"
CLIENT = {"client_id": "well-demo", "client_secret": "well-demo-secret"}
VERIFIER = "a verifier of more than forty-three characters, as PKCE wants"
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()


@dataclass(frozen=True)
class World:
    """A stand-in with one organisation, and what is needed to speak to it."""

    standin: Standin
    http: httpx.AsyncClient

    @property
    def client(self) -> XeroClient:
        return XeroClient(self.http, self.standin.endpoints)

    async def tell(self, path: str, /, **told: object) -> dict[str, Any]:
        """POST to the control."""
        answer = await self.http.post(f"{self.standin.url}/_standin/{path}", json=told)
        assert answer.status_code == 200, answer.text
        answered: dict[str, Any] = answer.json()
        return answered

    async def ask(self, path: str) -> dict[str, Any]:
        """GET from the control."""
        answer = await self.http.get(f"{self.standin.url}/_standin/{path}")
        assert answer.status_code == 200, answer.text
        answered: dict[str, Any] = answer.json()
        return answered

    async def raw(self, path: str, token: str, **headers: str) -> httpx.Response:
        """GET from the API, without the client."""
        sent = {"Authorization": f"Bearer {token}", "xero-tenant-id": TENANT, "Accept": "application/json"}
        return await self.http.get(f"{self.standin.endpoints.api_url}{path}", headers={**sent, **headers})

    def authorize(self, **changed: str | None) -> httpx.Request:
        """A request for consent; None leaves a parameter out."""
        asked = {
            "client_id": "well-demo",
            "redirect_uri": REDIRECT,
            "response_type": "code",
            "scope": " ".join(READ_SCOPES),
            "state": "a state",
            "code_challenge": CHALLENGE,
            "code_challenge_method": "S256",
            **changed,
        }
        sent = {name: value for name, value in asked.items() if value is not None}
        return self.http.build_request("GET", self.standin.endpoints.authorize_url, params=sent)

    async def code(self, **changed: str | None) -> str:
        """A code, without a person."""
        await self.tell("settings", consent="auto")
        answer = await self.http.send(self.authorize(**changed))
        assert answer.status_code == 302, answer.text
        return parse_qs(urlsplit(answer.headers["Location"]).query)["code"][0]

    async def exchange(self, code: str, **changed: str) -> httpx.Response:
        """The token endpoint, asked to take a code."""
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": REDIRECT, "code_verifier": VERIFIER}
        return await self.http.post(self.standin.endpoints.token_url, data={**CLIENT, **form, **changed})

    async def refresh(self, token: str) -> httpx.Response:
        """The token endpoint, asked to refresh."""
        form = {**CLIENT, "grant_type": "refresh_token", "refresh_token": token}
        return await self.http.post(self.standin.endpoints.token_url, data=form)

    async def tokens(self, **changed: str | None) -> dict[str, Any]:
        """Tokens from a consent that nobody had to give."""
        answer = await self.exchange(await self.code(**changed))
        assert answer.status_code == 200, answer.text
        tokens: dict[str, Any] = answer.json()
        return tokens

    async def token(self, **changed: str | None) -> str:
        """An access token."""
        return str((await self.tokens(**changed))["access_token"])


def bill(number: int = 1, /, **changed: object) -> dict[str, Any]:
    """A bill as Xero shows it; every id follows from the number."""
    return {
        "Type": "ACCPAY",
        "InvoiceID": f"243216c5-369e-4056-ac67-{number:012d}",
        "InvoiceNumber": f"FAC-{number:05d}",
        "Contact": {"ContactID": "a3675fc4-f8dd-4f03-ba5b-f1870566bcd7", "Name": "Orange SA, Paris"},
        "Date": "2026-03-31",
        "DueDate": "2026-04-30",
        "Status": "AUTHORISED",
        "LineAmountTypes": "Exclusive",
        "LineItems": [{"Description": "Fibre pro\nmars", "Quantity": "2.0000", "UnitAmount": "49.99"}],
        "SubTotal": "99.99",
        "TotalTax": "20.00",
        "Total": "119.99",
        "CurrencyCode": "EUR",
        **changed,
    }


@asynccontextmanager
async def serving(answer: Callable[[web.Request], Awaitable[web.StreamResponse]]) -> AsyncIterator[str]:
    """A server that gives one answer to every request, for answers Xero ought not to give."""
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        host, port = runner.addresses[0][:2]
        yield f"http://{host}:{port}"
    finally:
        await runner.cleanup()
