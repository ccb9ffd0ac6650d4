"""Connections, as a person at a terminal sees them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from rich.console import Console, ConsoleOptions, Group, RenderableType
from rich.text import Text

from libs.contracts.identity import UNKNOWN_ACCOUNT, Provider
from libs.qonto.endpoints import BANK_SCOPES
from libs.qonto.endpoints import SCOPES as QONTO_SCOPES
from libs.xero.endpoints import READ_SCOPES
from services.auth.domain.connection import TITLES, Connection
from services.auth.domain.consent import scopes_to_ask
from services.auth.domain.plain_words import plain_words, said_of

_MARKS: Final = {"active": ("✓", "green"), "refused": ("…", "yellow"), "lost": ("✗", "red"), "revoked": ("·", "dim")}

_INDENT: Final = "  "
"""Before what belongs to the line above."""

_BOTH: Final[tuple[Provider, ...]] = ("xero", "qonto")


def asked_for(provider: Provider, before: Connection | None, *, bank_matching: bool | None) -> RenderableType:
    """What a person is about to be asked: what auth will ask for, given the connection so far and their wish."""
    title = TITLES[provider]
    always, for_bank = (READ_SCOPES, ()) if provider == "xero" else (QONTO_SCOPES, BANK_SCOPES)
    granted = before.scopes if before else ()
    scopes = scopes_to_ask(always, for_bank, bank_matching=bank_matching, before=granted)
    lines: list[RenderableType] = [Text(f"{title} will ask you whether Well may:"), _bullets(scopes)]
    if provider == "xero":
        lines.append(Text("Well can change nothing in Xero.", style="dim"))
    elif scopes == always:
        lines.append(Text("It reads no account and no transaction; --bank-matching asks for that too.", style="dim"))
    else:
        lines.append(Text("--no-bank-matching leaves accounts and transactions out.", style="dim"))
    return Group(*lines)


def link(address: str, *, opened: bool) -> RenderableType:
    """Where to consent."""
    first = "Your browser opens. If it does not, follow this link" if opened else "Follow this link in a browser"
    return Text.assemble(f"\n{first}; it works once:\n  ", (address, "cyan"), "\n")


def connected(connection: Connection, all_of_them: Sequence[Connection], well: str) -> RenderableType:
    """What is connected now, how to take it back, and what comes next."""
    title = TITLES[connection.provider]
    lines = [Text.assemble(("✓", "green"), f" {title} is connected{_named(connection)}.")]
    lines.append(Text(f"Take it back at any time: {well} connections revoke {connection.provider}", style="dim"))
    active = {each.provider for each in all_of_them if each.state == "active"}
    lines += [Text(f"Next: {well} connect {each}") for each in _BOTH if each not in active]
    return Group(*lines)


def listed(connections: Sequence[Connection], well: str, *, read: bool) -> RenderableType:
    """Every connection, with what it allows and what to do about it.

    Args:
        connections: Of one workspace.
        well: How the command is called here.
        read: Whether any program may read Xero; Well's own is one of them.
    """
    if not connections:
        return Group(
            Text("Nothing is connected yet.", style="yellow"),
            Text(f"Well reads bills from Xero and adds them to Qonto, so it needs both: {well} connect xero"),
        )
    blocks: list[RenderableType] = []
    for connection in connections:
        mark, style = _MARKS[connection.state]
        title = TITLES[connection.provider]
        blocks.append(Text.assemble((mark, style), " ", (title, "bold"), _named(connection)))
        if connection.state in {"active", "refused"}:
            blocks.append(_bullets(connection.scopes))
        if connection.state != "active":
            blocks.append(Text(_INDENT + said_of(connection.state, title), style=style))
        unread = connection.provider == "xero" and not read and connection.state in {"active", "refused"}
        if unread:
            blocks.append(Text(f"{_INDENT}No program may read it, not even Well's own.", style="yellow"))
        if unread or connection.state in {"lost", "revoked"}:
            blocks.append(Text(f"{_INDENT}To connect it again: {well} connect {connection.provider}"))
    return Group(*blocks)


def _named(connection: Connection) -> str:
    """`: Atelier Marchand`; Qonto does not tell a name without a scope that is not asked for."""
    if connection.account.name:
        return f": {connection.account.name}"
    return "" if connection.account.id == UNKNOWN_ACCOUNT else f": organization {connection.account.id}"


@dataclass(frozen=True)
class _Bullets:
    """A line a permission; one that does not fit goes on under its own first word."""

    lines: Sequence[str]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        first = f"{_INDENT}• "
        for line in self.lines:
            pieces = Text(line).wrap(console, options.max_width - len(first))
            for place, piece in enumerate(pieces):
                yield Text((" " * len(first) if place else first) + piece.plain.rstrip())


def _bullets(scopes: Sequence[str]) -> RenderableType:
    return _Bullets(plain_words(scopes))
