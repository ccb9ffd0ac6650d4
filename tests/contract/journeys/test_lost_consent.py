"""A lost consent pauses its own connection and tells the person; once reconnected nothing is missing or there twice."""

from __future__ import annotations

from collections import Counter
from uuid import uuid4

import pytest

from libs.contracts.events import ConsentLost, RecordPulled
from libs.contracts.identity import UNKNOWN_ACCOUNT, Provider
from tests.contract.journeys.stage import Customer, Stage, bill_of, books_of, running_stage
from tests.support.postgres import PostgresFixture
from tests.support.until import until

RESUME_SECONDS = 60.0
"""Seconds until a connection that was paused is read again; its last pause may have been eight."""


def customers() -> tuple[Customer, Customer]:
    """One who loses a consent, and one who does not."""
    return (
        Customer(uuid4(), "cccccccc-0000-4000-8000-0000000000cc", str(uuid4()), "Carotte", 6),
        Customer(uuid4(), "dddddddd-0000-4000-8000-0000000000dd", str(uuid4()), "Douce", 6),
    )


async def lose(stage: Stage, customer: Customer, provider: Provider) -> None:
    """The provider ends everything that this customer granted."""
    if provider == "xero":
        await stage.tell_xero("revoke", {"tenant_id": customer.tenant})
    else:
        await stage.tell_qonto("revoke", {"organization": customer.organization})


async def losses(stage: Stage, customer: Customer, provider: Provider) -> list[ConsentLost]:
    """What the trail of a customer's connection says of losses."""
    account = customer.tenant if provider == "xero" else UNKNOWN_ACCOUNT
    trail = await stage.well.services.trail.of_record(customer.workspace, f"{provider}/connection/{account}")
    return [event.payload for event in trail if isinstance(event.payload, ConsentLost)]


@pytest.mark.parametrize("provider", ["xero", "qonto"])
async def test_one_customers_lost_consent_holds_up_nobody_else_and_costs_no_record(
    postgres: PostgresFixture, provider: Provider
) -> None:
    loser, other = customers()
    async with running_stage(postgres.dsn) as stage:
        auth = stage.well.services.auth
        async with stage.browser(loser) as browser:
            page = await browser.get(f"{stage.well.url}/connections")
        assert f'href="{stage.well.url}/ingest/connect/xero"' in page.text  # nothing is connected yet
        for customer in (loser, other):
            first = [bill_of(customer, number) for number in range(3)]
            await stage.open_for(customer, contacts=books_of(customer)["contacts"], invoices=first)
        for customer in (loser, other):
            await _decided(stage, customer, 3)

        await stage.consent_for(loser)
        await lose(stage, loser, provider)

        async def lost() -> bool:
            return await auth.connection_state(loser.workspace, provider) == "lost"

        await until(lost, deadline_seconds=RESUME_SECONDS)
        for customer in (loser, other):
            await stage.book(customer, invoices=[bill_of(customer, number) for number in range(3, 6)])
        await _decided(stage, other, 6)
        assert await auth.connection_state(other.workspace, provider) == "active"
        async with stage.browser(loser) as browser:
            page = await browser.get(f"{stage.well.url}/connections")
        assert "Connect it again; Well then goes on where it stopped." in page.text
        assert await losses(stage, other, provider) == []
        (loss,) = await losses(stage, loser, provider)
        assert "again; nothing is lost meanwhile." in loss.sentence

        # The link on that page is enough: what programs were allowed to read through Well still stands.
        async with stage.browser(loser) as browser:
            browser.follow_redirects = True
            again = await browser.get(f"{stage.well.url}/connect/{provider}")
        assert "Connected" in again.text
        await _decided(stage, loser, 6)
        for customer in (loser, other):
            assert await _pulled_bills(stage, customer) == dict.fromkeys(customer.bill_ids(), 1)


async def _decided(stage: Stage, customer: Customer, bills: int) -> None:
    async def so_many() -> bool:
        counts = dict(await stage.well.services.matcher.counts(customer.workspace))
        return not counts.pop("due", 0) and sum(counts.values()) == bills

    await until(so_many, deadline_seconds=RESUME_SECONDS)


async def _pulled_bills(stage: Stage, customer: Customer) -> dict[str, int]:
    """How often each bill stands in the log as pulled: once, since none of them changed."""
    counted: Counter[str] = Counter()
    for bill_id in customer.bill_ids():
        trail = await stage.well.services.trail.of_record(customer.workspace, f"xero/bill/{bill_id}")
        counted[bill_id] = sum(isinstance(event.payload, RecordPulled) for event in trail)
    return dict(counted)
