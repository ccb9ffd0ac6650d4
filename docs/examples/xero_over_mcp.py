"""Lists the bills of a Xero organisation through Well's MCP server at a given address. Needs the MCP SDK, not Well."""

import asyncio
import sys
from urllib.parse import parse_qs, urlsplit

import httpx2
from mcp import Client
from mcp.client.auth import AuthorizationCodeResult, OAuthClientProvider
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.auth import OAuthClientInformationFull, OAuthClientMetadata, OAuthToken


class Memory:
    """Where a real program would keep its tokens and its registration."""

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


async def main(server: str) -> None:
    home = asyncio.get_running_loop().create_future()

    async def browser_is_back(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        path = (await reader.readline()).split()[1].decode()
        writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nYou can close this window.")
        writer.close()
        home.set_result({name: words[0] for name, words in parse_qs(urlsplit(path).query).items()})

    async def open_browser(address: str) -> None:
        print(address, flush=True)

    async def wait_for_browser() -> AuthorizationCodeResult:
        words = await home
        return AuthorizationCodeResult(code=words["code"], state=words["state"], iss=words["iss"])

    listening = await asyncio.start_server(browser_is_back, "localhost", 0)
    port = listening.sockets[0].getsockname()[1]
    about = OAuthClientMetadata(client_name="Bill lister", redirect_uris=[f"http://localhost:{port}/callback"])
    auth = OAuthClientProvider(server, about, Memory(), open_browser, wait_for_browser)
    async with httpx2.AsyncClient(auth=auth) as http, Client(streamable_http_client(server, http_client=http)) as xero:
        answer = await xero.call_tool("list_invoices", {"type": "ACCPAY"})
        for bill in answer.structured_content["invoices"]:
            print(bill["InvoiceNumber"], bill["Contact"]["Name"], bill["Total"], bill["CurrencyCode"], flush=True)
    listening.close()


asyncio.run(main(sys.argv[1]))
