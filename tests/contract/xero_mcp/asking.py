"""What an MCP client sends to the authorization server, word by word, so that a test can bend any of them."""

from __future__ import annotations

import base64
import hashlib
import secrets
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx

from tests.contract.xero_mcp.conftest import CALLBACK, McpStage
from tests.support.web import web_client

VERIFIER = secrets.token_urlsafe(48)
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).decode().rstrip("=")


Form = dict[str, str] | list[tuple[str, str]]


async def post(stage: McpStage, path: str, form: Form, headers: dict[str, str] | None = None) -> httpx.Response:
    typed = {"Content-Type": "application/x-www-form-urlencoded", **(headers or {})}
    async with web_client() as http:
        return await http.post(f"{stage.root}{path}", content=urlencode(form), headers=typed)


async def register(stage: McpStage, words: dict[str, Any] | None = None) -> httpx.Response:
    metadata = {"redirect_uris": [CALLBACK], "token_endpoint_auth_method": "none", "client_name": "Tester"}
    async with web_client() as http:
        return await http.post(f"{stage.root}/register", json=metadata | (words or {}))


async def registered(stage: McpStage) -> str:
    return str((await register(stage)).raise_for_status().json()["client_id"])


def asking(stage: McpStage, client: str, **words: str) -> dict[str, str]:
    return {
        "response_type": "code",
        "client_id": client,
        "redirect_uri": CALLBACK,
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
        "state": "a-state-of-the-client",
        "resource": stage.mcp.url,
        **words,
    }


async def authorize(stage: McpStage, query: Form) -> httpx.Response:
    async with web_client() as http:
        return await http.get(f"{stage.root}/authorize", params=urlencode(query))


async def code_of(stage: McpStage, client: str) -> str:
    asked = await authorize(stage, asking(stage, client))
    return (await stage.visit(asked.headers["Location"]))["code"]


def buying(client: str, code: str) -> dict[str, str]:
    return {
        "grant_type": "authorization_code",
        "client_id": client,
        "code": code,
        "redirect_uri": CALLBACK,
        "code_verifier": VERIFIER,
    }


def without(words: dict[str, str], name: str) -> dict[str, str]:
    return {key: word for key, word in words.items() if key != name}


def said(answer: httpx.Response) -> dict[str, str]:
    """The words that a client was sent home with."""
    query = parse_qs(urlsplit(answer.headers["Location"]).query, strict_parsing=True)
    return {name: word for name, (word,) in query.items()}


async def tokens_of(stage: McpStage, client: str) -> dict[str, str]:
    answer = await post(stage, "/token", buying(client, await code_of(stage, client)))
    words: dict[str, str] = answer.raise_for_status().json()
    return words


def refreshing(client: str, token: str) -> dict[str, str]:
    return {"grant_type": "refresh_token", "client_id": client, "refresh_token": token}


async def opens(stage: McpStage, access_token: str) -> bool:
    async with web_client() as http:
        answer = await http.post(
            stage.mcp.url,
            json={"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {}},
            headers={
                "Authorization": f"Bearer {access_token}",
                "Accept": "application/json, text/event-stream",
                "MCP-Protocol-Version": "2025-11-25",
            },
        )
    return answer.status_code == httpx.codes.OK
