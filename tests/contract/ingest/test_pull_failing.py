"""What a pull does when its provider, or its connection, does not let it."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest

from libs.contracts.errors import ConsentLost, Rejected, Transient
from services.ingest.adapters.memory_providers import MemoryProvider
from services.ingest.flow.status import status
from tests.contract.ingest.conftest import NOW, Kept
from tests.contract.ingest.test_pull import pull_all


async def test_a_provider_that_fails_puts_off_its_own_workspace_alone(kept: Kept) -> None:
    other = uuid4()
    kept.connected.known.append(other)
    qonto = MemoryProvider(fails=[Transient("Qonto is busy.", retry_after_seconds=40.0)])
    puller = kept.puller("qonto", qonto)
    assert await pull_all(puller) == 1
    pulls = {
        workspace: (await status(kept.database, kept.store, workspace)).pulls["qonto"]
        for workspace in (kept.workspace, other)
    }
    [(failed, shown)] = [(workspace, pull) for workspace, pull in pulls.items() if pull.failures]
    assert (shown.failures, shown.sentence) == (1, "Qonto is busy.")
    assert shown.due_at == NOW + timedelta(seconds=40)
    kept.clock.advance(40)
    assert await pull_all(puller) == 1
    shown = (await status(kept.database, kept.store, failed)).pulls["qonto"]
    assert (shown.failures, shown.sentence, shown.windows) == (0, None, 1)


@pytest.mark.parametrize("error", [ConsentLost("Reconnect."), Rejected("No.", code="forbidden")])
async def test_a_refusal_waits_and_then_asks_for_the_same_page(kept: Kept, error: ConsentLost | Rejected) -> None:
    xero = MemoryProvider(fails=[error])
    puller = kept.puller("xero", xero)
    assert await pull_all(puller) == 0
    kept.clock.advance(2)
    assert await pull_all(puller) == 2


async def test_what_was_mended_does_not_wait(kept: Kept) -> None:
    xero = MemoryProvider(fails=[Rejected("No.", code="forbidden")])
    puller = kept.puller("xero", xero)
    assert await pull_all(puller) == 0
    await puller.hurry(kept.workspace)
    assert await pull_all(puller) == 2


async def test_a_lost_connection_is_left_alone_until_it_is_active_again(kept: Kept) -> None:
    xero = MemoryProvider()
    puller = kept.puller("xero", xero)
    kept.connected.states[kept.workspace, "xero"] = "lost"
    assert await pull_all(puller) == 0
    assert not xero.calls
    del kept.connected.states[kept.workspace, "xero"]
    assert await pull_all(puller) == 2
