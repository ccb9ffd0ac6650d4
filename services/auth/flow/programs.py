"""Programs that people allowed to read Xero: remembered, listed, and ended one by one.

The MCP server asks whether a consent still stands before it believes a token of it. A consent stands as long as its row
is there, so what a person ends here ends everywhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID, uuid4

from libs.contracts.consented import Consented
from libs.contracts.errors import Rejected
from libs.database.port import Database
from libs.runtime.clock import Clock, is_within
from services.auth.domain.program import PROGRAMS_MAX, READ_MARKED, UNUSED, Program
from services.auth.ports import ProgramStore


class Programs:
    """The programs of all workspaces."""

    def __init__(self, *, database: Database, store: ProgramStore, clock: Clock) -> None:
        self._database = database
        self._store = store
        self._clock = clock

    async def allow(
        self, workspace: UUID, *, client_name: str, redirect_host: str, document_host: str, scopes: tuple[str, ...]
    ) -> UUID:
        """A person said yes to a program. The consent that its tokens come from.

        Raises:
            Rejected: `too_many_programs`; `workspace_erased`.
        """
        now, consent = self._clock.now(), uuid4()
        program = Program(consent, client_name, redirect_host, document_host, scopes, allowed_at=now, read_at=now)
        async with self._database.transaction(workspace) as tx:
            added = await self._store.add_program(tx, program, unused_before=now - UNUSED, limit=PROGRAMS_MAX)
        if not added:
            sentence = f"{PROGRAMS_MAX} programs may read this Xero already. Take it back from one of them first."
            raise Rejected(sentence, code="too_many_programs")
        return consent

    async def stands(self, consented: Consented) -> bool:
        """Whether a consent was not taken back. Who asks is about to read, or to renew the right to it."""
        now = self._clock.now()
        async with self._database.transaction(consented.workspace) as tx:
            read_at = await self._store.program_read_at(tx, consented.consent)
            if read_at is not None and not is_within(READ_MARKED, since=read_at, now=now):
                await self._store.mark_program_read(tx, consented.consent, now)
        return read_at is not None

    async def of(self, workspace: UUID) -> Sequence[Program]:
        """Those that may read, in the order in which they were allowed."""
        async with self._database.transaction(workspace) as tx:
            return await self._store.programs(tx, read_after=self._clock.now() - UNUSED)

    async def end(self, consented: Consented) -> bool:
        """Take a consent back; False when there is none. The MCP server believes what it heard for some seconds."""
        async with self._database.transaction(consented.workspace) as tx:
            return await self._store.end_program(tx, consented.consent)
