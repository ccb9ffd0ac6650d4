"""`well connect`: a person consents in a browser, beside the process that `well up` runs."""

from __future__ import annotations

import asyncio
from typing import Annotated, Literal
from uuid import UUID

import typer


def connect(
    provider: Annotated[Literal["xero", "qonto"], typer.Argument(metavar="PROVIDER", help="What to connect.")],
    *,
    workspace: Annotated[UUID | None, typer.Option(metavar="ID", help="Whose; left out, this machine's one.")] = None,
) -> None:
    """Connect Xero or Qonto: follow two links in a browser. `well up` must be running."""
    from well.consent import consent_in_browser

    asyncio.run(consent_in_browser(provider, workspace))
