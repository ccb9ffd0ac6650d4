"""The page on which a person answers for a program: it says who asks, for what, and where the answer goes."""

from __future__ import annotations

from tests.contract.xero_mcp.asking import asking, authorize, register
from tests.contract.xero_mcp.conftest import McpStage


async def test_the_page_names_the_client_and_where_it_would_go(quick: McpStage) -> None:
    client = (await register(quick, {"client_name": "<script>alert(1)</script>"})).json()["client_id"]
    asked = await authorize(quick, asking(quick, client))
    await quick.auth.connect(quick.workspace, "xero")
    async with quick.auth.signed_in(quick.workspace) as browser:
        page = await browser.get(asked.headers["Location"])
    assert "&lt;script&gt;" in page.text
    assert "<script>" not in page.text
    assert "localhost:1" in page.text
