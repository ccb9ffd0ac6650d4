"""Verdicts out of sealed decisions, with the keys that auth lends to a service of ours."""

from __future__ import annotations

from libs.bus.kafka.message import LogRow
from libs.contracts.envelope import decoded
from libs.contracts.errors import Malformed, Rejected
from libs.contracts.events import MatchDecided, Verdict
from libs.crypto.keyring import Sealer


class SealedVerdicts:
    """Opens decisions, keeps the verdict and lets go of the rest."""

    def __init__(self, sealer: Sealer) -> None:
        self._sealer = sealer

    async def of(self, decided: LogRow) -> Verdict | None:
        """What was decided; None when its workspace was erased.

        Raises:
            Malformed: `not_sealed_here`; `unknown_event` when what is inside is no decision.
            Transient: Auth does not answer.
        """
        try:
            opened = await self._opened(decided)
        except Rejected as refused:
            if refused.code == "workspace_erased":
                return None
            raise
        payload = decoded(opened, where="a topic").payload
        if not isinstance(payload, MatchDecided):
            raise Malformed("What a message calls a decision is none that this version knows.", code="unknown_event")
        return payload.verdict

    async def _opened(self, decided: LogRow) -> bytes:
        """What is inside. The keys in memory may be older than the seal, so they are fetched anew before giving up."""
        raw = decided.raw
        place = {"table": f"{raw.position.log}.event_log", "row": str(raw.event_id), "column": "sealed"}
        try:
            return (await self._sealer.of(raw.workspace)).open(raw.sealed, **place)
        except Malformed:
            self._sealer.forget(raw.workspace)
        return (await self._sealer.of(raw.workspace)).open(raw.sealed, **place)
