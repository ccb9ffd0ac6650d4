"""Documents on demand, over both stores, with a provider and blobs in memory."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from libs.blobs.memory import MemoryBlobs
from libs.contracts.envelope import Envelope, enveloped
from libs.contracts.errors import ConsentLost, Malformed, Rejected, Transient, WellError
from libs.contracts.events import DocumentFetched, DocumentMissing, MatchDecided, Verdict
from libs.contracts.identity import record_of
from libs.eventlog.port import Delivery, Position
from services.ingest.adapters.memory_providers import MemoryProvider
from services.ingest.domain.attachments import Attachment
from services.ingest.flow.documents import DocumentRequests
from services.ingest.flow.fetch import Fetcher
from services.ingest.ports import AttachedFile
from tests.contract.ingest.awkward import pdf
from tests.contract.ingest.conftest import NOW, Kept, of_type

LEASE_SECONDS = 60.0


def attachment(name: str = "bill.pdf", mime_type: str = "application/pdf", size: int | None = 100) -> Attachment:
    return Attachment(f"id-{name}", name, mime_type, size)


def decided(kept: Kept, bill: str, verdict: Verdict, generation: int = 1) -> Envelope:
    payload = MatchDecided(
        verdict=verdict,
        reason="none_of_them",
        sentence="Qonto does not have it.",
        generation=generation,
        bill_sha256="0" * 64,
        confidence=0.9,
        none_confidence=0.9,
        model="m",
        policy="p",
    )
    record = record_of("xero", "bill", bill)
    return enveloped(payload, workspace=kept.workspace, record=record, cause=uuid4(), occurred_at=NOW)


async def decide(kept: Kept, *decisions: Envelope) -> None:
    batch = [Delivery(Position("matcher", each.topic, each.bucket, n), each) for n, each in enumerate(decisions, 1)]
    async with kept.database.transaction(kept.workspace) as tx:
        assert await DocumentRequests(kept.store.jobs).handle(tx, batch) == ()


def fetcher(kept: Kept, xero: MemoryProvider, blobs: MemoryBlobs | None = None) -> Fetcher:
    care = (4, 16, LEASE_SECONDS)
    kept_in = blobs or MemoryBlobs()
    rounds = kept.connected.rounds("xero", kept.clock)
    return Fetcher(xero, kept_in, kept.database, kept.log, kept.store.jobs, rounds, kept.clock, *care)


async def fetched(kept: Kept, xero: MemoryProvider) -> DocumentFetched | DocumentMissing:
    await decide(kept, decided(kept, "b", "post"))
    assert await fetcher(kept, xero).step() == 1
    [said] = of_type(await kept.events(), DocumentFetched, DocumentMissing)
    assert isinstance(said.payload, DocumentFetched | DocumentMissing)
    return said.payload


async def counts(kept: Kept) -> dict[str, int]:
    async with kept.database.transaction(kept.workspace) as tx:
        return dict(await kept.store.jobs.counts(tx))


async def test_a_decision_to_post_brings_the_document_byte_for_byte_with_two_calls(kept: Kept) -> None:
    xero, blobs, content = MemoryProvider(), MemoryBlobs(), pdf()
    xero.attach(kept.workspace, "b", attachment(), content)
    await decide(kept, decided(kept, "b", "post", generation=3))
    assert await fetcher(kept, xero, blobs).step() == 1
    [said] = of_type(await kept.events(), DocumentFetched)
    assert isinstance(said.payload, DocumentFetched)
    document = said.payload.document
    assert (said.payload.generation, document.size_bytes, document.mime_type) == (3, len(content), "application/pdf")
    assert document.file_name == "bill.pdf"
    assert await blobs.get(kept.workspace, document.sha256) == content
    assert xero.calls == {"attachments": 1, "attached_file": 1}


@pytest.mark.parametrize("verdict", ["link", "review", "unmatched", "ineligible"])
async def test_no_other_decision_asks_for_a_document(kept: Kept, verdict: Verdict) -> None:
    xero = MemoryProvider()
    await decide(kept, decided(kept, "b", verdict))
    assert await fetcher(kept, xero).step() == 0
    assert not xero.calls


async def test_a_later_decision_calls_off_what_waits(kept: Kept) -> None:
    await decide(kept, decided(kept, "b", "post"))
    await decide(kept, decided(kept, "b", "link", generation=2))
    assert await fetcher(kept, MemoryProvider()).step() == 0
    assert await counts(kept) == {"cancelled": 1}


async def test_within_a_batch_the_last_decision_of_a_bill_counts(kept: Kept) -> None:
    await decide(kept, decided(kept, "b", "post"), decided(kept, "b", "review", generation=2))
    assert await counts(kept) == {}


@pytest.mark.parametrize(
    ("error", "pause_seconds"),
    [
        (Transient("Xero is busy.", retry_after_seconds=31.0), 31),
        (Transient("The network failed."), 2),
        (ConsentLost("Reconnect."), 2),
        (Malformed("Xero answered with something else.", code="unexpected_shape"), 2),
        (Rejected("A scope is missing.", code="insufficient_scope"), 900),
    ],
)
async def test_what_could_not_be_done_waits_and_is_done_later(
    kept: Kept, error: WellError, pause_seconds: float
) -> None:
    xero = MemoryProvider(fails=[error])
    xero.attach(kept.workspace, "b", attachment(), pdf())
    await decide(kept, decided(kept, "b", "post"))
    work = fetcher(kept, xero)
    assert await work.step() == 0
    kept.clock.advance(pause_seconds - 0.1)
    assert await work.step() == 0
    assert sum(xero.calls.values()) == 1
    kept.clock.advance(0.2)
    assert await work.step() == 1
    assert len(of_type(await kept.events(), DocumentFetched)) == 1


@pytest.mark.parametrize(
    ("refusal", "code"), [("not_found", "no_document"), ("document_too_large", "document_too_large")]
)
async def test_a_refused_download_that_says_something_of_the_document_is_final(
    kept: Kept, refusal: str, code: str
) -> None:
    xero = MemoryProvider(fails=[Rejected("No.", code=refusal)])
    said = await fetched(kept, xero)
    assert isinstance(said, DocumentMissing)
    assert said.code == code


async def test_a_process_killed_while_fetching_has_said_nothing_and_another_does_it_after_the_lease(kept: Kept) -> None:
    class Killed(MemoryProvider):
        async def attachments(self, *_: object) -> Sequence[Attachment]:
            raise asyncio.CancelledError

    await decide(kept, decided(kept, "b", "post"))
    with pytest.raises(asyncio.CancelledError):
        await fetcher(kept, Killed()).step()
    xero = MemoryProvider()
    xero.attach(kept.workspace, "b", attachment(), pdf())
    assert await fetcher(kept, xero).step() == 0
    kept.clock.advance(LEASE_SECONDS)
    assert await fetcher(kept, xero).step() == 1
    assert len(of_type(await kept.events(), DocumentFetched)) == 1


async def test_a_decision_that_changes_during_the_download_silences_it(kept: Kept) -> None:
    class Overtaken(MemoryProvider):
        async def attached_file(self, workspace: UUID, bill_id: str, attachment_id: str) -> AttachedFile:
            await decide(kept, decided(kept, "b", "link", generation=2))
            return await super().attached_file(workspace, bill_id, attachment_id)

    xero = Overtaken()
    xero.attach(kept.workspace, "b", attachment(), pdf())
    await decide(kept, decided(kept, "b", "post"))
    assert await fetcher(kept, xero).step() == 0
    assert await kept.events() == []


async def test_at_most_four_documents_are_fetched_at_once(kept: Kept) -> None:
    # Xero allows five calls at once a tenant. Source: developer.xero.com, OAuth 2.0 limits.
    class Watched(MemoryProvider):
        now, most = 0, 0

        async def attachments(self, workspace: UUID, bill_id: str) -> Sequence[Attachment]:
            self.now += 1
            self.most = max(self.most, self.now)
            await asyncio.sleep(0)
            self.now -= 1
            return await super().attachments(workspace, bill_id)

    xero = Watched()
    await decide(kept, *(decided(kept, f"b-{number}", "post") for number in range(12)))
    assert await fetcher(kept, xero).step() == 12
    assert xero.most == 4


async def test_a_lost_connection_waits_and_goes_on_when_it_is_active_again(kept: Kept) -> None:
    kept.connected.states[kept.workspace, "xero"] = "lost"
    await decide(kept, decided(kept, "b", "post"))
    work = fetcher(kept, MemoryProvider())
    assert await work.step() == 0
    kept.clock.advance(timedelta(days=1).total_seconds())
    kept.connected.states[kept.workspace, "xero"] = "active"
    assert await work.step() == 1
