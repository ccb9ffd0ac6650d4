"""Programs that read, as a person at a terminal sees them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from rich.console import Group, RenderableType
from rich.text import Text

from services.auth.domain.program import Program

ID_SHOWN: Final = 8
"""Letters of an id: enough to tell a hundred of them apart, and short enough to type."""


def listed(programs: Sequence[Program], well: str) -> RenderableType:
    """Every program, by whose word it is known, since when it may read and when it last did."""
    if not programs:
        return Group(
            Text("No program reads your Xero through Well, not even Well's own.", style="yellow"),
            Text(f"To have Well read it: {well} connect xero"),
        )
    blocks: list[RenderableType] = []
    for program in programs:
        vouched = f"Described at {program.document_host}" if program.document_host else "Nobody has checked this name"
        blocks += [
            Text.assemble(("●", "green"), " ", (program.client_name, "bold"), "  ", (_id(program), "cyan")),
            Text(f"  {vouched}; it answers to {program.redirect_host}."),
            Text(f"  Allowed on {program.allowed_at:%Y-%m-%d}, last read on {program.read_at:%Y-%m-%d}."),
        ]
    return Group(*blocks, Text(f"\nThey can change nothing. To end one: {well} programs end {_id(programs[0])}"))


def ended(program: Program, well: str) -> RenderableType:
    """What was ended, and the way back for whoever ended Well itself."""
    return Group(
        Text.assemble(("✓", "green"), f" {program.client_name} reads no more."),
        Text(
            f"If it was Well's own, Well reads nothing until you connect Xero again: {well} connect xero", style="dim"
        ),
    )


def _id(program: Program) -> str:
    return str(program.consent)[:ID_SHOWN]
