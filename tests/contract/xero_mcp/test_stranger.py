"""A program of somebody else, as a process of its own: the official SDK without code of ours, from address to bills."""

from __future__ import annotations

import ast
import asyncio
import sys
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

from tests.contract.xero_mcp.conftest import McpStage
from tests.house.tree import REPOSITORY
from tests.support.web import web_client

PROGRAM = REPOSITORY / "docs" / "examples" / "xero_over_mcp.py"


async def test_a_strangers_program_discovers_registers_gets_consent_and_lists_bills(
    stage: McpStage, tmp_path: Path
) -> None:
    running = await asyncio.create_subprocess_exec(
        sys.executable, "-I", PROGRAM, stage.mcp.url, cwd=tmp_path, stdout=asyncio.subprocess.PIPE
    )
    assert running.stdout is not None
    async with asyncio.timeout(30):
        address = (await running.stdout.readline()).decode().strip()
        (home,) = parse_qs(urlsplit(address).query)["redirect_uri"]
        words = await stage.visit(address, home=home)
        async with web_client() as browser:
            landed = await browser.get(f"{home}?{urlencode(words)}")
        assert landed.text == "You can close this window."
        bills = (await running.stdout.read()).decode().splitlines()
        assert await running.wait() == 0
    assert bills == ["F-2026-0042 Papeterie Leroux 119.90 EUR"]
    assert (await stage.kept())["client"] == 1


def test_it_has_no_code_of_ours() -> None:
    imported = {
        name.split(".")[0]
        for node in ast.walk(ast.parse(PROGRAM.read_text()))
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }
    assert imported == {"asyncio", "httpx2", "mcp", "sys", "urllib"}
