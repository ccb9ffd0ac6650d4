"""First decisions as bytes: what two runs of one company must agree on, whatever carried the events."""

from __future__ import annotations

from uuid import UUID

from libs.contracts.events import MatchDecided
from libs.eventlog.port import LogReader

READ_AT_ONCE = 2000


async def first_decisions(reader: LogReader, workspace: UUID) -> dict[str, bytes]:
    """By bill, the bytes of its first decision. Later ones answer what happened meanwhile, which is chance."""
    cursor: dict[int, int] = {}
    found: dict[str, bytes] = {}
    while (piece := await reader.read("matcher", cursor, topic="match.decided.v1", limit=READ_AT_ONCE)).through:
        cursor.update(piece.through)
        for raw in piece.deliveries:
            event = (await reader.open(raw)).envelope
            said = event.payload
            if event.workspace == workspace and isinstance(said, MatchDecided) and said.generation == 1:
                found[event.record] = said.model_dump_json().encode()
    return found
