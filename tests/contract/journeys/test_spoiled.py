"""What is spoiled of one workspace stops that workspace's part at most, says so, and no other workspace notices."""

from __future__ import annotations

from uuid import uuid4

import asyncpg
import pytest

from libs.contracts.events import EntityMalformed
from libs.contracts.identity import record_of
from tests.contract.journeys.stage import Customer, Stage, bill_of, books_of, running_stage
from tests.support.postgres import PostgresFixture
from tests.support.until import until

SPOILED = Customer(uuid4(), "dddddddd-0000-4000-8000-0000000000dd", str(uuid4()), "Dattel", 2)
SOUND = Customer(uuid4(), "eeeeeeee-0000-4000-8000-0000000000ee", str(uuid4()), "Endivie", 2)

ODD_IDS = {
    "nul": "d0\x00d1",
    "long": "d" * 5000,
    "control": "d0\r\nd1",
}


async def test_odd_ids_and_characters_end_as_malformed_and_nothing_else_stops(postgres: PostgresFixture) -> None:
    async with running_stage(postgres.dsn) as stage:
        books = books_of(SPOILED)
        books["invoices"] += [bill_of(SPOILED, 0, InvoiceID=id_, InvoiceNumber=why) for why, id_ in ODD_IDS.items()]
        books["invoices"][1]["InvoiceNumber"] = "with \x00 inside"
        books["contacts"] += [{"ContactID": id_, "Name": "Nobody \x00"} for id_ in ODD_IDS.values()]
        await stage.tell_qonto("organizations", {"id": SPOILED.organization, "name": SPOILED.word})
        await stage.open_for(SPOILED, **books)
        await stage.open_for(SOUND, **books_of(SOUND))
        await stage.all_decided(SOUND)
        await until(lambda: _malformed(stage, len(ODD_IDS) * 2))
        await until(lambda: _decided(stage, {"due": 0, "ineligible": len(ODD_IDS), "review": 2}))
        assert [each for each in stage.well.status.at_work() if each.sentence] == []
        assert not any(group.parked for group in stage.well.status.health.groups())


SPOILED_ROWS = {
    "matcher.bill": ("bill_id", "sealed"),
    "matcher.invoice": ("invoice_id", "sealed"),
    "pusher.posting": ("id", "sealed"),
    "auth.connection": ("provider", "access_token"),
}


@pytest.mark.parametrize("how", ["other_words", "other_bytes"])
async def test_rows_that_cannot_be_read_let_their_workspace_rest_and_no_other(
    postgres: PostgresFixture, how: str
) -> None:
    async with running_stage(postgres.dsn) as stage:
        await stage.open_for(SPOILED, **books_of(SPOILED))
        await _posting_of_its_own(stage, SPOILED)
        await stage.all_decided(SPOILED)
        await until(lambda: _has_a_posting(stage))
        admin = await postgres.admin()
        for table, (key, column) in SPOILED_ROWS.items():
            await _spoil(stage, admin, table, key, column, readable=how == "other_words")
        await admin.execute("UPDATE matcher.bill SET is_due = true")
        await admin.execute("UPDATE pusher.posting SET state = 'sent', due_at = now()")
        await admin.execute("UPDATE ingest.pull SET due_at = now()")
        await stage.open_for(SOUND, **books_of(SOUND))
        await stage.all_decided(SOUND)

        async def rests() -> bool:
            workers = {worker.name: worker for worker in stage.well.status.health.workers()}
            return bool(workers["pusher.submit"].resting)

        await until(rests)


async def _has_a_posting(stage: Stage) -> bool:
    record = record_of("xero", "bill", SPOILED.bill_ids()[0])
    return await stage.well.services.pusher.posting(SPOILED.workspace, record) is not None


async def _posting_of_its_own(stage: Stage, customer: Customer) -> None:
    """A document for the first bill, so that the pusher has a posting."""
    await stage.book(
        customer,
        invoices=[bill_of(customer, 0, HasAttachments=True)],
        attachments=[
            {
                "invoice_id": customer.bill_ids()[0],
                "attachment_id": str(uuid4()),
                "file_name": "a.pdf",
                "mime_type": "application/pdf",
                "content_base64": "JVBERi0xLjQ=",
            }
        ],
    )


async def _spoil(stage: Stage, admin: asyncpg.Pool, table: str, key: str, column: str, *, readable: bool) -> None:
    """Put something into every sealed value of a column that is not what was there."""
    seal = await stage.well.storage.sealers.payloads.of(SPOILED.workspace)
    for row in await admin.fetch(f"SELECT {key}::text AS key FROM {table} WHERE workspace = $1", SPOILED.workspace):  # noqa: S608 - names from above
        sealed = seal.seal(b'{"other": 1}', table=table, row=row["key"], column=column) if readable else b"\x00" * 64
        await admin.execute(
            f"UPDATE {table} SET {column} = $3 WHERE workspace = $1 AND {key}::text = $2",  # noqa: S608 - names from above
            SPOILED.workspace,
            row["key"],
            sealed,
        )


async def _decided(stage: Stage, wanted: dict[str, int]) -> bool:
    counts = await stage.well.services.matcher.counts(SPOILED.workspace)
    return all(counts.get(verdict, 0) == count for verdict, count in wanted.items())


async def _malformed(stage: Stage, count: int) -> bool:
    reader = stage.well.storage.reader
    piece = await reader.read("ingest", {}, topic="entity.normalized.v1", limit=1000)
    said = [(await reader.open(raw)).envelope for raw in piece.deliveries]
    odd = [event for event in said if isinstance(event.payload, EntityMalformed)]
    assert all(event.record.split("/")[2].startswith("unnamed-") for event in odd)
    return len(odd) >= count
