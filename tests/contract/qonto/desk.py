"""A stand-in for Qonto with a token at hand, as the tests of Qonto speak to it."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit
from uuid import UUID, uuid5

import httpx

from libs.contracts.money import Money
from libs.paper import Paper, render_bill
from libs.qonto.client import QontoClient
from libs.qonto.standin import DEFAULT_ORGANIZATION, Standin
from libs.qonto.upload import Upload

FILE: Final = "supplier_invoices[][file]"
KEY: Final = "supplier_invoices[][idempotency_key]"
PDF: Final = b"%PDF-1.4\nnot much of one"
REDIRECT: Final = "http://127.0.0.1:4712/connected"
CLIENT: Final = {"client_id": "well-demo", "client_secret": "well-demo-secret"}
VERIFIER: Final = "a verifier of more than forty-three characters, as PKCE wants"
CHALLENGE: Final = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()


def key(name: object) -> UUID:
    """An idempotency key, the same for the same name."""
    return uuid5(UUID(int=0), str(name))


def upload(name: str, content: bytes = PDF, mime: str = "application/pdf") -> Upload:
    """An upload whose key and file name come from one name."""
    return Upload(key(name), f"{name}.pdf", content, mime)


def bill(number: str = "F-2026-014", total: int = 139_200) -> bytes:
    """A supplier's bill as a PDF."""

    def euros(minor: int) -> Money:
        return Money(minor=minor, currency="EUR")

    return render_bill(
        Paper(
            supplier_name="Ateliers Brémond SAS",
            vat_number="FR83404833048",
            number=number,
            issue_date=date(2026, 1, 31),
            due_date=date(2026, 3, 2),
            currency="EUR",
            net=euros(total - 23_200),
            tax=euros(23_200),
            total=euros(total),
        )
    )


@dataclass(frozen=True)
class Desk:
    """A stand-in and what is needed to speak to it."""

    standin: Standin
    http: httpx.AsyncClient
    token: str

    @property
    def client(self) -> QontoClient:
        return QontoClient(self.http, self.standin.url)

    async def order(self, path: str, /, **told: object) -> dict[str, Any]:
        """POST to the control."""
        answer = await self.http.post(f"{self.standin.url}/_standin/{path}", json=told)
        assert answer.status_code == 200, answer.text
        answered: dict[str, Any] = answer.json()
        return answered

    async def see(self, path: str) -> dict[str, Any]:
        """GET from the control."""
        answer = await self.http.get(f"{self.standin.url}/_standin/{path}")
        assert answer.status_code == 200, answer.text
        answered: dict[str, Any] = answer.json()
        return answered

    async def holdings(self) -> dict[str, Any]:
        """What the first organization holds."""
        organizations: dict[str, Any] = (await self.see("holdings"))["organizations"]
        first: dict[str, Any] = organizations[str(DEFAULT_ORGANIZATION)]
        return first

    async def call(self, method: str, path: str, token: str | None = None, **sent: Any) -> httpx.Response:  # noqa: ANN401  as httpx has it
        """A call without the client."""
        headers = {"Authorization": f"Bearer {token or self.token}", **sent.pop("headers", {})}
        return await self.http.request(method, f"{self.standin.url}{path}", headers=headers, **sent)

    async def post_parts(self, parts: Sequence[tuple[str, Any]]) -> httpx.Response:
        """A bulk upload of exactly these parts, in this order."""
        return await self.call("POST", "/v2/supplier_invoices/bulk", files=list(parts))

    async def put_invoices(self, *invoices: dict[str, Any]) -> None:
        """Records that were at Qonto before."""
        await self.order("records", supplier_invoices=invoices)

    async def authorize(self, **changed: str | None) -> httpx.Response:
        """Open the consent page; None leaves a parameter out."""
        asked = {
            "client_id": CLIENT["client_id"],
            "redirect_uri": REDIRECT,
            "response_type": "code",
            "scope": "offline_access supplier_invoice.read organization.read",
            "state": "a-state-of-length",
            "code_challenge": CHALLENGE,
            "code_challenge_method": "S256",
            **changed,
        }
        query = {name: value for name, value in asked.items() if value is not None}
        return await self.http.get(self.standin.endpoints.authorize_url, params=query)

    async def code(self) -> str:
        """A code, granted without a page."""
        await self.order("settings", consent="auto")
        return answer_of(await self.authorize())["code"]

    async def redeem(self, code: str, **changed: str) -> httpx.Response:
        """Ask for the tokens of a code."""
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": REDIRECT, "code_verifier": VERIFIER}
        return await self.http.post(self.standin.endpoints.token_url, data={**CLIENT, **form, **changed})

    async def refresh(self, token: str) -> httpx.Response:
        """Ask for new tokens."""
        form = {"grant_type": "refresh_token", "refresh_token": token}
        return await self.http.post(self.standin.endpoints.token_url, data={**CLIENT, **form})


def file_part(name: str, content: bytes = PDF) -> tuple[str, Any]:
    """A part with a file."""
    return FILE, (name, content, "application/pdf")


def key_part(name: str) -> tuple[str, Any]:
    """A part with a key."""
    return KEY, (None, name.encode())


def answer_of(redirect: httpx.Response) -> dict[str, str]:
    """What a redirect back to the client carries."""
    assert redirect.status_code == 303, redirect.text
    return {name: values[0] for name, values in parse_qs(urlsplit(redirect.headers["Location"]).query).items()}
