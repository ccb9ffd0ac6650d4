"""Whatever hangs on a bill: the supplier's own file goes to Qonto byte for byte, or a named state says why not."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from typing import Any, Final
from uuid import uuid4

from libs.contracts.errors import Rejected
from services.console.domain.view import BillView
from tests.contract.ingest.awkward import locked_pdf, pdf
from tests.contract.journeys.stage import Customer, Stage, bill_of, running_stage
from tests.support.postgres import PostgresFixture
from tests.support.shared import shared
from tests.support.until import until

ARRIVED: Final = frozenset({"settled", "verified", "differs", "unchecked"})
"""States of a posting that lies at Qonto. What is read off a page without text, or a real page, is not asked here."""

LIMIT_BYTES: Final = 10_000_000
"""Bytes Qonto takes. Source: docs.qonto.com/guides/use-cases/bulk-upload-supplier-invoices: "max 10 MB"."""

PNG: Final = b"\x89PNG\r\n\x1a\n" + bytes(100)
JPEG: Final = b"\xff\xd8\xff\xe0" + bytes(100)
HEIC: Final = b"\x00\x00\x00\x18ftypheic" + bytes(100)
ZIP: Final = b"PK\x03\x04" + bytes(100)
XML: Final = b"<?xml version='1.0'?><Invoice/>"


@dataclass(frozen=True)
class File:
    """A file that hangs on a bill."""

    name: str
    content: bytes
    mime_type: str = "application/pdf"


@dataclass(frozen=True)
class Hanging:
    """What hangs on a bill, and what comes of it: the index of the file that is posted, or words of the sentence."""

    files: tuple[File, ...]
    posted: int | None = None
    says: str = ""


def _sized(size_bytes: int) -> bytes:
    """A PDF of exactly that size: what stands behind its end is passed over by readers."""
    whole = pdf()
    return whole + b"\n" * (size_bytes - len(whole))


AWKWARD: Final = (
    Hanging((File("full.pdf", _sized(LIMIT_BYTES)),), posted=0),
    Hanging((File("over.pdf", _sized(LIMIT_BYTES + 1)),), says="10.1 MB"),
    Hanging((File("huge.pdf", _sized(25_000_000)),), says="25.0 MB"),
    Hanging((File("locked.pdf", locked_pdf()),), says="locked with a password"),
    Hanging((File("bill.png", pdf(2), "image/png"),), posted=0),
    Hanging((File("bill", pdf(3), "application/pdf; charset=binary"),), posted=0),
    Hanging((File("scan.PNG", PNG, "image/png"),), posted=0),
    Hanging((File("photo.jpeg", JPEG, "image/jpeg"),), posted=0),
    Hanging((File("photo.heic", HEIC, "image/heic"),), says="None of the bill's attachments is a PDF, PNG or JPEG"),
    Hanging((File("photo.jpg", HEIC, "image/jpeg"),), says="neither a PDF nor an image"),
    Hanging((File("invoice.xml", XML, "application/xml"), File("all.zip", ZIP, "application/zip")), says="PDF, PNG or"),
    Hanging((*(File(f"{n}.xml", XML, "text/xml") for n in range(8)), File("a.png", PNG), File("b.pdf", pdf(4))), 8),
    Hanging((File("Rechnung (März) [2] 🧾.pdf", pdf(5)),), posted=0),
    Hanging((File("empty.pdf", b""),), says="neither a PDF nor an image"),
)


async def test_the_suppliers_file_arrives_byte_for_byte_or_a_sentence_says_why_not(postgres: PostgresFixture) -> None:
    await _each_ends_as_it_should(postgres.dsn, AWKWARD)


async def test_real_invoices_arrive_byte_for_byte(postgres: PostgresFixture) -> None:
    files = [File(path.name, path.read_bytes()) for path in sorted(shared("data/invoices").glob("*.pdf"))]
    assert len(files) > 10
    await _each_ends_as_it_should(postgres.dsn, [Hanging((file,), posted=0) for file in files])


async def _each_ends_as_it_should(dsn: str, hanging: tuple[Hanging, ...] | list[Hanging]) -> None:
    customer = Customer(uuid4(), "dddddddd-0000-4000-8000-0000000000dd", str(uuid4()), "Dillfisch", len(hanging))
    async with running_stage(dsn) as stage:
        await stage.open_for(
            customer,
            contacts=[bill_of(customer, 0)["Contact"]],
            invoices=[bill_of(customer, number, HasAttachments=True) for number in range(len(hanging))],
            attachments=[each for number, one in enumerate(hanging) for each in _attached(customer, number, one)],
        )
        for number, one in enumerate(hanging):
            view = await _ended(stage, customer, number)
            ended = (view.posting in ARRIVED, one.says in view.why)
            assert ended == (one.posted is not None, True), (one.files[0].name, view.posting, view.why)
            assert view.waits or one.posted is not None
        sent = [one.files[one.posted].content for one in hanging if one.posted is not None]
        arrived = [upload["sha256"] for upload in await stage.uploads()]
        assert sorted(arrived) == sorted(hashlib.sha256(content).hexdigest() for content in sent)


async def _ended(stage: Stage, customer: Customer, number: int) -> BillView:
    """The view of a bill once its posting is over."""
    queue, bill_id = stage.well.services.console.queue, customer.bill_ids()[number]
    seen: list[BillView] = []

    async def look() -> bool:
        try:
            seen.append(await queue.bill(customer.workspace, bill_id))
        except Rejected:
            return False  # not heard of yet
        return seen[-1].posting in ARRIVED | {"rejected"}

    try:
        await until(look, deadline_seconds=60)
    except AssertionError:
        raise AssertionError(f"bill {number} stands at {seen[-1:]}") from None
    return seen[-1]


def _attached(customer: Customer, number: int, one: Hanging) -> list[dict[str, Any]]:
    return [
        {
            "invoice_id": customer.bill_ids()[number],
            "attachment_id": f"dddddddd-2222-4000-{place:04d}-{number:012d}",
            "file_name": file.name,
            "mime_type": file.mime_type,
            "content_base64": base64.b64encode(file.content).decode(),
        }
        for place, file in enumerate(one.files)
    ]
