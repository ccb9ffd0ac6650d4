"""`well connect`: a person consents in a browser, beside the process that `well up` runs."""

from __future__ import annotations

import asyncio
from typing import Annotated, Literal
from uuid import UUID

import typer

from libs.contracts.errors import Rejected


def connect(
    provider: Annotated[Literal["xero", "qonto"], typer.Argument(metavar="PROVIDER", help="What: xero or qonto.")],
    *,
    workspace: Annotated[UUID | None, typer.Option(metavar="ID", help="Whose; left out, this machine's one.")] = None,
    bank_matching: Annotated[
        bool | None,
        typer.Option(
            "--bank-matching/--no-bank-matching",
            help="Qonto: let Well read accounts and transactions too, or no longer; left out, as it is.",
        ),
    ] = None,
    browser: Annotated[bool, typer.Option(help="Open a browser, where there is one.")] = True,
) -> None:
    """Connect Xero or Qonto: a browser opens, and the command waits for your answer. `well up` must be running."""
    from well.consent import Wish, consent_in_browser

    if provider == "xero" and bank_matching is not None:
        raise Rejected("--bank-matching is about Qonto; what Well reads from Xero is always the same.", code="option")
    asyncio.run(consent_in_browser(Wish(provider, workspace, bank_matching, browser)))
