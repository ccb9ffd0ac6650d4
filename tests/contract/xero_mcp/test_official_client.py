"""The official SDK's client, with no code of ours, finds its way from an address to a bill."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

import httpx2
from mcp import Client
from mcp.client.auth import AuthorizationCodeResult, OAuthClientProvider, TokenStorage
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.auth import OAuthClientInformationFull, OAuthClientMetadata, OAuthToken
from pydantic import AnyUrl

from libs.runtime.health import version_of_well
from libs.runtime.tls import authorities
from libs.xero.endpoints import READ_SCOPES
from services.auth.domain.connection import LONGEST_REST
from tests.contract.xero_mcp.conftest import BILL, CALLBACK, FILE, PDF, McpStage
from tests.support.auth import TENANT, calls, told


class Memory(TokenStorage):
    """What the client remembers."""

    tokens: OAuthToken | None = None
    client: OAuthClientInformationFull | None = None

    async def get_tokens(self) -> OAuthToken | None:
        return self.tokens

    async def set_tokens(self, tokens: OAuthToken) -> None:
        self.tokens = tokens

    async def get_client_info(self) -> OAuthClientInformationFull | None:
        return self.client

    async def set_client_info(self, client_info: OAuthClientInformationFull) -> None:
        self.client = client_info


@asynccontextmanager
async def official_client(
    stage: McpStage, memory: Memory | None = None, workspace: UUID | None = None, document: str | None = None
) -> AsyncIterator[Client]:
    arrived: list[dict[str, str]] = []

    async def open_browser(address: str) -> None:
        arrived.append(await stage.visit(address, workspace=workspace))

    async def wait_for_code() -> AuthorizationCodeResult:
        words = arrived.pop()
        return AuthorizationCodeResult(code=words["code"], state=words["state"], iss=words["iss"])

    provider = OAuthClientProvider(
        server_url=stage.mcp.url,
        client_metadata=OAuthClientMetadata(redirect_uris=[AnyUrl(CALLBACK)], client_name="A curious program"),
        storage=memory or Memory(),
        redirect_handler=open_browser,
        callback_handler=wait_for_code,
        client_metadata_url=document,
    )
    async with (
        httpx2.AsyncClient(auth=provider, verify=authorities()) as http,
        Client(streamable_http_client(stage.mcp.url, http_client=http)) as client,
    ):
        yield client


async def test_it_discovers_registers_gets_consent_and_lists_bills(stage: McpStage) -> None:
    async with official_client(stage) as client:
        tools = (await client.list_tools()).tools
        answer = await client.call_tool("list_invoices", {"type": "ACCPAY"})
        about = client.server_info
    assert (about.name, about.version) == ("well-xero", version_of_well())
    assert {tool.name for tool in tools} == {
        "list_invoices",
        "get_invoice",
        "list_contacts",
        "list_attachments",
        "get_attachment",
    }
    assert all(tool.annotations is not None and tool.annotations.read_only_hint for tool in tools)
    assert not answer.is_error
    assert answer.structured_content is not None
    (bill,) = answer.structured_content["invoices"]
    assert bill["InvoiceNumber"] == "F-2026-0042"
    assert bill["Total"] == "119.90"  # text, as Xero wrote it: no amount passes through a float
    assert answer.structured_content["pagination"]["itemCount"] == 1


async def test_it_reads_the_file_of_a_bill(stage: McpStage) -> None:
    async with official_client(stage) as client:
        listed = await client.call_tool("list_attachments", {"invoice_id": BILL})
        got = await client.call_tool("get_attachment", {"invoice_id": BILL, "attachment_id": FILE})
    assert listed.structured_content == {
        "attachments": [
            {
                "AttachmentID": FILE,
                "FileName": "F-2026-0042.pdf",
                "MimeType": "application/pdf",
                "ContentLength": str(len(PDF)),
            }
        ]
    }
    assert got.structured_content == {
        "file_name": "F-2026-0042.pdf",
        "mime_type": "application/pdf",
        "size_bytes": len(PDF),
        "sha256": hashlib.sha256(PDF).hexdigest(),
        "content_base64": base64.b64encode(PDF).decode(),
    }


async def test_no_token_of_xero_reaches_the_client(stage: McpStage) -> None:
    memory = Memory()
    async with official_client(stage, memory) as client:
        await client.call_tool("get_invoice", {"invoice_id": BILL})
    lent = await stage.auth.service.lend("xero_mcp", stage.workspace, "xero")
    assert memory.tokens is not None
    assert lent.secret not in memory.tokens.model_dump_json()
    assert memory.tokens.scope == "xero.read"
    assert not set(READ_SCOPES) & set((memory.tokens.scope or "").split())


async def test_a_bill_that_is_not_there_is_an_error_with_a_sentence(stage: McpStage) -> None:
    async with official_client(stage) as client:
        answer = await client.call_tool("get_invoice", {"invoice_id": "b1110000-0000-4000-8000-00000000dead"})
    assert answer.is_error
    assert answer.structured_content is not None
    assert answer.structured_content["error"]["kind"] == "Rejected"
    assert answer.structured_content["error"]["code"] == "not_found"


async def test_a_consent_revoked_at_xero_is_said_as_one_and_other_calls_stay_possible(stage: McpStage) -> None:
    async with official_client(stage) as client:
        await client.call_tool("get_invoice", {"invoice_id": BILL})
        await told(stage.xero, "revoke", {"tenant_id": TENANT})
        answer = await client.call_tool("get_invoice", {"invoice_id": BILL})
        assert answer.structured_content is not None
        assert answer.structured_content["error"]["kind"] == "ConsentLost"
        assert await stage.auth.service.connection_state(stage.workspace, "xero") == "lost"
        await stage.auth.connect(stage.workspace, "xero")
        again = await client.call_tool("get_invoice", {"invoice_id": BILL})
    assert not again.is_error


async def test_an_organisation_disconnected_at_xero_is_a_lost_consent(stage: McpStage) -> None:
    async with official_client(stage) as client:
        await client.call_tool("get_invoice", {"invoice_id": BILL})
        lent = await stage.auth.service.lend("xero_mcp", stage.workspace, "xero")
        bearer = {"Authorization": f"Bearer {lent.secret}"}
        async with httpx2.AsyncClient(headers=bearer, verify=authorities()) as person:
            (connection,) = (await person.get(stage.xero.endpoints.connections_url)).json()
            await person.delete(f"{stage.xero.endpoints.connections_url}/{connection['id']}")
        answer = await client.call_tool("get_invoice", {"invoice_id": BILL})
    assert answer.structured_content is not None
    assert answer.structured_content["error"]["kind"] == "ConsentLost"
    assert await stage.auth.service.connection_state(stage.workspace, "xero") == "lost"


async def test_a_token_refused_once_is_replaced_within_the_call(stage: McpStage) -> None:
    async with official_client(stage) as client:
        await client.call_tool("get_invoice", {"invoice_id": BILL})
        path = "/api.xro/2.0/Invoices/{InvoiceID}"
        await told(stage.xero, "faults", {"method": "GET", "path": path, "kind": "revoked"})
        answer = await client.call_tool("get_invoice", {"invoice_id": BILL})
    assert not answer.is_error


async def test_refusals_one_after_another_are_an_outage_and_no_lost_consent(stage: McpStage) -> None:
    async with official_client(stage) as client:
        await client.call_tool("get_invoice", {"invoice_id": BILL})
        path = "/api.xro/2.0/Invoices/{InvoiceID}"
        await told(stage.xero, "faults", {"method": "GET", "path": path, "kind": "revoked", "times": 4})
        for _ in range(2):
            answer = await client.call_tool("get_invoice", {"invoice_id": BILL})
            assert answer.structured_content is not None
            assert answer.structured_content["error"]["kind"] == "Transient"
        assert await stage.auth.service.connection_state(stage.workspace, "xero") == "refused"
        for _ in range(4):
            stage.clock.advance(LONGEST_REST.total_seconds())
            again = await client.call_tool("get_invoice", {"invoice_id": BILL})
    assert not again.is_error
    assert await stage.auth.service.connection_state(stage.workspace, "xero") == "active"


async def test_a_call_that_xero_forbids_in_a_connected_organisation_stops_no_other(stage: McpStage) -> None:
    async with official_client(stage) as client:
        await client.call_tool("get_invoice", {"invoice_id": BILL})
        path = "/api.xro/2.0/Invoices/{InvoiceID}"
        await told(stage.xero, "faults", {"method": "GET", "path": path, "kind": "403", "times": 3})
        for _ in range(3):
            answer = await client.call_tool("get_invoice", {"invoice_id": BILL})
            assert answer.structured_content is not None
            assert answer.structured_content["error"]["code"] == "forbidden"
            assert not (await client.call_tool("list_attachments", {"invoice_id": BILL})).is_error
    assert await stage.auth.service.connection_state(stage.workspace, "xero") == "active"


async def test_a_long_run_never_makes_xero_refuse(stage: McpStage) -> None:
    async with official_client(stage) as client:
        for _ in range(40):
            await client.call_tool("get_attachment", {"invoice_id": BILL, "attachment_id": FILE})
    assert not [call for call in await calls(stage.xero) if call.endswith(" 429")]
