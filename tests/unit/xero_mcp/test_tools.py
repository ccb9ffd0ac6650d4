"""What the tools remember between two calls."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from services.xero_mcp.api.tools import NAMES_REMEMBERED, XeroTools


@dataclass(frozen=True)
class Listed:
    """An answer of Xero."""

    records: list[dict[str, Any]]


class OneFileEach:
    """Xero, where every bill has one file."""

    async def ask(self, workspace: UUID, call: object) -> Listed:
        assert workspace
        assert call
        return Listed([{"AttachmentID": str(uuid4()), "FileName": "bill.pdf"}])


async def test_the_names_of_so_many_files_stay_in_memory() -> None:
    tools = XeroTools(reading=OneFileEach(), client=None, attachment_max_bytes=1)  # type: ignore[arg-type]  # never asked
    workspace, bills = uuid4(), [str(uuid4()) for _ in range(NAMES_REMEMBERED + 1)]
    for bill in bills:
        await tools._listed(workspace, bill)
    assert len(tools._files) == NAMES_REMEMBERED
    assert bills[0] not in {str(bill) for _, bill, _ in tools._files}
