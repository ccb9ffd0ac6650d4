"""One customer is erased while Well runs: what services keep of it goes, and the other one notices nothing."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from libs.blobs.sealed_files import SealedFiles
from libs.contracts.errors import Rejected
from libs.database.schemas import SERVICES
from tests.contract.journeys.stage import Customer, Stage, bill_of, books_of, running_stage
from tests.support.postgres import PostgresFixture
from tests.support.until import until
from well.forgetting import forgetting

LEAVING = Customer(uuid4(), "aaaaaaaa-0000-4000-8000-0000000000aa", str(uuid4()), "Aubergine", 3)
STAYING = Customer(uuid4(), "bbbbbbbb-0000-4000-8000-0000000000bb", str(uuid4()), "Betterave", 2)

_TABLES = """
SELECT c.oid::regclass::text AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'workspace' AND NOT a.attisdropped
WHERE c.relkind = 'r' AND n.nspname = ANY($1::text[])
"""

KEPT = {f"{service}.event_log" for service in SERVICES} | {"auth.workspace"}
"""What an erasure leaves: events that nobody can open, and that the workspace was erased."""


async def _rows(postgres: PostgresFixture, workspace: UUID) -> dict[str, int]:
    """How many rows each table has of a workspace; those that have none are left out."""
    admin = await postgres.admin()
    tables = [row["name"] for row in await admin.fetch(_TABLES, list(SERVICES))]
    counted = {
        table: await admin.fetchval(f"SELECT count(*) FROM {table} WHERE workspace = $1", workspace)  # noqa: S608 the name is from the catalogue
        for table in tables
    }
    return {table: rows for table, rows in counted.items() if rows}


async def test_rows_and_documents_of_an_erased_workspace_go_and_another_works_on(
    postgres: PostgresFixture, tmp_path: Path
) -> None:
    async with running_stage(postgres.dsn) as stage:
        for customer in (LEAVING, STAYING):
            await stage.open_for(customer, **books_of(customer))
        for customer in (LEAVING, STAYING):
            await stage.all_decided(customer)
        blobs = SealedFiles(tmp_path, stage.well.storage.sealers.documents)
        addresses = [await blobs.put(each.workspace, b"%PDF-1.7 a document") for each in (LEAVING, STAYING)]
        before = await _rows(postgres, STAYING.workspace)
        assert len(await _rows(postgres, LEAVING.workspace)) > len(KEPT)
        assert (await stage.well.services.auth.erasing.erase(LEAVING.workspace)).not_told == ()
        assert await stage.well.services.auth.erased() == []  # some process may have the keys still
        await _all_forget(stage, tmp_path)
        assert set(await _rows(postgres, LEAVING.workspace)) <= KEPT
        with pytest.raises(Rejected) as gone:
            await blobs.get(LEAVING.workspace, addresses[0])
        assert gone.value.code == "no_such_document"
        assert await blobs.get(STAYING.workspace, addresses[1]) == b"%PDF-1.7 a document"
        after = await _rows(postgres, STAYING.workspace)
        assert {table: after.get(table, 0) >= rows for table, rows in before.items()} == dict.fromkeys(before, True)
        await _goes_on(stage)


async def _all_forget(stage: Stage, blobs: Path) -> None:
    """Each service's job, until it has nothing left to do."""

    async def erased() -> Sequence[UUID]:
        return [LEAVING.workspace]

    workers = forgetting(stage.well.storage, erased, blobs)
    assert {worker.name for worker in workers} == {f"{service}.forget" for service in SERVICES if service != "auth"}
    assert {worker.name for worker in workers} <= {worker.name for worker in stage.well.status.health.workers()}
    for worker in workers:
        assert await worker.step() == 1
        assert await worker.step() == 0


async def _goes_on(stage: Stage) -> None:
    """A bill of the other one is changed, read and decided again."""
    queue, number = stage.well.services.console.queue, 0
    await stage.book(STAYING, invoices=[bill_of(STAYING, number, InvoiceNumber="a-new-number")])

    async def seen() -> bool:
        bill = (await queue.bill(STAYING.workspace, STAYING.bill_ids()[number])).bill
        return bill is not None and bill.number == "a-new-number"

    await until(seen)
