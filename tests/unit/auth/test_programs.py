"""When a program last read is known to the hour, and no row is written at every call."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID, uuid4

from libs.contracts.consented import Consented
from libs.database.memory import MemoryDatabase
from libs.database.port import Transaction
from libs.runtime.clock import ManualClock
from services.auth.adapters.memory import MemoryAuthStore
from services.auth.domain.program import READ_MARKED
from services.auth.flow.programs import Programs

TODAY, TOMORROW = datetime(2026, 11, 26, tzinfo=UTC), datetime(2026, 11, 27, tzinfo=UTC)


class CountingStore(MemoryAuthStore):
    """Counts how often it is written down that a program reads."""

    def __init__(self) -> None:
        super().__init__()
        self.marked = 0

    async def mark_program_read(self, tx: Transaction, consent: UUID, now: datetime) -> None:
        self.marked += 1
        await super().mark_program_read(tx, consent, now)


async def allowed(programs: Programs) -> Consented:
    """A program of a workspace of its own."""
    workspace = uuid4()
    consent = await programs.allow(
        workspace, client_name="Ledger", redirect_host="localhost:1", document_host="", scopes=("xero.read",)
    )
    return Consented(workspace, consent)


async def test_a_program_that_reads_all_day_is_written_down_once_an_hour() -> None:
    clock, store = ManualClock(TODAY), CountingStore()
    programs = Programs(database=MemoryDatabase(), store=store, clock=clock)
    consented = await allowed(programs)
    for _ in range(6):
        clock.advance(READ_MARKED.total_seconds() / 3)
        assert await programs.stands(consented)
    assert store.marked == 2


async def test_after_the_clock_was_set_back_it_is_not_said_to_have_read_tomorrow() -> None:
    database, store = MemoryDatabase(), MemoryAuthStore()
    consented = await allowed(Programs(database=database, store=store, clock=ManualClock(TOMORROW)))
    programs = Programs(database=database, store=store, clock=ManualClock(TODAY))
    assert await programs.stands(consented)
    (program,) = await programs.of(consented.workspace)
    assert program.read_at == TODAY
