"""The whole pusher against a Qonto that listens: each trouble, and once in the end."""

from __future__ import annotations

from uuid import uuid4

import pytest

from libs.qonto.upload import Upload
from services.pusher.domain.posting import State
from tests.contract.pusher.stage import RULE, Stage, blank_page, paper
from tests.unit.pusher.stories import BILL, decided

HALF_AN_HOUR_SECONDS = 31 * 60


async def test_a_bill_is_posted_byte_for_byte_under_its_own_name_and_read_back(stage: Stage) -> None:
    await stage.intend()
    await stage.submit()
    settled = await stage.posting()
    assert settled.state is State.SETTLED
    (invoice,) = (await stage.standin_says("invoices"))["invoices"]
    assert invoice["id"] == settled.invoice_id
    assert invoice["file_name"] == settled.file_name
    assert invoice["idempotency_key"] == str(settled.id)
    assert settled.document is not None
    assert invoice["sha256"] == settled.document.sha256
    await stage.read_back(after_seconds=3)
    assert (await stage.posting()).state is State.VERIFIED


async def test_what_qonto_read_otherwise_is_told_field_by_field(stage: Stage) -> None:
    await stage.intend(paper(total_minor=124800))
    await stage.submit()
    await stage.read_back(after_seconds=3)
    differs = await stage.posting()
    assert differs.state is State.DIFFERS
    assert str(differs.sentence).endswith("than Xero has: total EUR 1,284.00 in Xero, EUR 1,248.00 in Qonto.")


async def test_a_document_that_qonto_has_not_read_yet_is_looked_at_again_and_left_in_the_end(stage: Stage) -> None:
    await stage.standin_does("settings", analysis_delay_seconds=10**8)
    await stage.intend()
    await stage.submit()
    await stage.read_back()
    assert ((await stage.posting()).code, (await stage.posting()).looks) == ("not_read_yet", 1)
    for _ in range(299):
        await stage.read_back(after_seconds=901)
    left = await stage.posting()
    assert (left.state, left.code, left.due_at) == (State.UNCHECKED, "not_read", None)
    assert "by eye" in str(left.sentence)


async def test_a_document_that_qonto_cannot_read_is_left_unchecked_at_once(stage: Stage) -> None:
    await stage.intend(blank_page())
    await stage.submit()
    await stage.read_back(after_seconds=3)
    left = await stage.posting()
    assert (left.state, left.code, left.due_at) == (State.UNCHECKED, "not_compared", None)
    assert "no total" in str(left.sentence)


async def test_an_outage_while_reading_back_says_nothing_of_a_document(stage: Stage) -> None:
    await stage.standin_does("settings", analysis_delay_seconds=10**8)
    await stage.intend()
    await stage.submit()
    await stage.fault("500", method="GET", times=5)
    for _ in range(5):
        await stage.read_back(after_seconds=901)
    assert (await stage.posting()).looks == 0
    await stage.read_back(after_seconds=901)
    assert (await stage.posting()).looks == 1


@pytest.mark.parametrize("wait_seconds", [6, 130, HALF_AN_HOUR_SECONDS])
async def test_an_answer_lost_after_the_effect_is_found_by_a_look_and_not_sent_again(
    stage: Stage, wait_seconds: float
) -> None:
    await stage.fault("timeout_after_commit")
    await stage.intend()
    await stage.submit(impatient=True)
    assert (await stage.posting()).state is State.UNKNOWN
    await stage.submit(after_seconds=wait_seconds)
    assert (await stage.posting()).state is State.SETTLED
    assert await stage.uploads() == 1


@pytest.mark.parametrize("kind", ["timeout_before", "500", "html"])
async def test_a_request_without_an_answer_is_sent_again_once_a_look_proves_that_it_had_no_effect(
    stage: Stage, kind: str
) -> None:
    await stage.fault(kind)
    await stage.intend()
    await stage.submit(impatient=True)
    assert (await stage.posting()).state is State.UNKNOWN
    await stage.submit(after_seconds=6)
    early = await stage.posting()
    assert (early.state, early.attempt) == (State.UNKNOWN, 1)
    await stage.submit(after_seconds=RULE.running_seconds)
    again = await stage.posting()
    assert (again.state, again.attempt) == (State.SETTLED, 2)
    assert await stage.uploads() == 1


async def test_a_look_that_fails_leads_to_another_look_and_not_to_a_second_upload(stage: Stage) -> None:
    await stage.fault("timeout_after_commit")
    await stage.fault("500", method="GET", times=3)
    await stage.intend()
    await stage.submit(impatient=True)
    for _ in range(3):
        await stage.submit(after_seconds=HALF_AN_HOUR_SECONDS)
        assert (await stage.posting()).state is State.UNKNOWN
    await stage.submit(after_seconds=HALF_AN_HOUR_SECONDS)
    assert (await stage.posting()).state is State.SETTLED
    assert await stage.uploads() == 1


async def test_a_lost_upload_is_found_behind_the_first_page(stage: Stage) -> None:
    await stage.fault("timeout_after_commit")
    await stage.intend()
    await stage.submit(impatient=True)
    stamp = stage.clock.now().isoformat()
    others = [
        {"id": str(uuid4()), "file_name": f"other-{number}.pdf", "created_at": stamp, "updated_at": stamp}
        for number in range(230)
    ]
    await stage.standin_does("records", supplier_invoices=others)
    await stage.submit(after_seconds=HALF_AN_HOUR_SECONDS)
    assert (await stage.posting()).state is State.SETTLED
    assert await stage.uploads() == 1


async def test_a_document_that_is_there_twice_is_shown_to_a_person(stage: Stage) -> None:
    await stage.fault("timeout_after_commit")
    await stage.intend()
    await stage.submit(impatient=True)
    lost = await stage.posting()
    copy = Upload(uuid4(), str(lost.file_name), paper(), "application/pdf")
    await stage.client.upload(stage.lender.secret, [copy])
    await stage.submit(after_seconds=6)
    shown = await stage.posting()
    assert (shown.state, shown.code) == (State.REJECTED, "posted_twice")


async def test_a_full_budget_of_calls_puts_a_posting_back_until_qonto_takes_calls_again(stage: Stage) -> None:
    await stage.fault("429", retry_after=20)
    await stage.intend()
    await stage.submit()
    waits = await stage.posting()
    assert (waits.state, waits.code) == (State.INTENDED, "waits")
    await stage.submit(after_seconds=15)
    assert (await stage.posting()).attempt == 1
    await stage.submit(after_seconds=6)
    assert ((await stage.posting()).state, (await stage.posting()).attempt) == (State.SETTLED, 2)


async def test_a_file_that_qonto_refuses_is_rejected_with_a_sentence(stage: Stage) -> None:
    await stage.intend(b"this is no PDF")
    await stage.submit()
    refused = await stage.posting()
    assert (refused.state, refused.code) == (State.REJECTED, "invalid")
    assert refused.sentence == "Qonto refused the document (invalid): File is too large or wrong content type."


async def test_a_token_that_expired_is_refreshed_once_and_the_upload_made(stage: Stage) -> None:
    stage.lender.secret = "expired"  # noqa: S105 - no token at all
    await stage.intend()
    await stage.submit()
    assert (await stage.posting()).state is State.SETTLED
    assert stage.lender.refused_count == 1


async def test_a_consent_taken_back_stops_nothing_but_its_own_postings_until_it_is_given_again(stage: Stage) -> None:
    stage.lender.revoked = True
    await stage.standin_does("revoke")
    await stage.intend()
    await stage.submit()
    assert (await stage.posting()).state is State.INTENDED
    await stage.submit(after_seconds=10**6)
    assert (await stage.posting()).attempt == 1
    stage.lender.revoked, stage.lender.state, stage.lender.secret = False, "active", stage.standin.token()
    await stage.submit()
    assert (await stage.posting()).state is State.SETTLED


async def test_a_consent_without_the_scope_to_write_waits_for_a_person(stage: Stage) -> None:
    tokens = await stage.standin_does("tokens", scope="supplier_invoice.read")
    stage.lender.secret = tokens["access_token"]
    await stage.intend()
    await stage.submit()
    waits = await stage.posting()
    assert waits.state is State.INTENDED
    assert waits.sentence is not None
    assert "Reconnect" in waits.sentence


async def test_what_was_sent_to_another_organization_is_shown_to_a_person(stage: Stage) -> None:
    await stage.fault("timeout_after_commit")
    await stage.intend()
    await stage.submit(impatient=True)
    stage.lender.account = "another"
    await stage.submit(after_seconds=HALF_AN_HOUR_SECONDS)
    shown = await stage.posting()
    assert (shown.state, shown.code) == (State.REJECTED, "account_changed")
    assert await stage.uploads() == 1


async def test_a_bill_voided_while_its_answer_is_missing_is_not_sent_again(stage: Stage) -> None:
    await stage.fault("timeout_before")
    await stage.intend()
    await stage.submit(impatient=True)
    await stage.hear(decided(2, "ineligible", reason="voided"))
    await stage.submit(after_seconds=RULE.running_seconds)
    assert (await stage.posting()).state is State.WITHDRAWN
    assert await stage.uploads() == 0


async def test_fields_and_states_that_nobody_has_heard_of_disturb_nothing(stage: Stage) -> None:
    await stage.fault("unknown_fields", method="*", times=9)
    await stage.intend()
    await stage.submit()
    await stage.read_back(after_seconds=3)
    assert (await stage.posting()).state is State.VERIFIED


async def test_twenty_bills_are_posted_once_each_through_one_trouble_after_another(stage: Stage) -> None:
    records = [f"{BILL}-{number}" for number in range(20)]
    for record in records:
        await stage.intend(record=record)
    for after, kind in enumerate(["timeout_after_commit", "500", "429", "html", "timeout_before"]):
        await stage.fault(kind, after=after)
    for _ in range(12):
        await stage.submit(after_seconds=130, impatient=True)
    assert {(await stage.posting(record)).state for record in records} == {State.SETTLED}
    counts = await stage.standin_says("uploads_by_file_name")
    assert sorted(counts.values()) == [1] * 20
