"""Probes and the status while Postgres is away, and what they show to whom."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from libs.contracts.errors import Transient
from libs.database.embedded import EmbeddedServer, start_embedded
from libs.runtime.health import Health
from libs.runtime.standing import UNREADY_FAILURES
from libs.runtime.worker import Worker
from tests.contract.journeys.stage import Customer, Stage, books_of, running_stage
from tests.support.postgres import PostgresFixture
from tests.support.until import until

MINE = Customer(uuid4(), "aaaaaaaa-0000-4000-8000-0000000000aa", str(uuid4()), "Aubergine", 2)
OTHER = Customer(uuid4(), "bbbbbbbb-0000-4000-8000-0000000000bb", str(uuid4()), "Betterave", 2)


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that root's Postgres can reach, too."""
    folder = Path(tempfile.mkdtemp(prefix="well-pg-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
async def own_server(open_folder: Path) -> AsyncIterator[EmbeddedServer]:
    """A Postgres that a test may stop."""
    yield await start_embedded(open_folder / "pg")
    await (await start_embedded(open_folder / "pg")).stop()


async def _get(stage: Stage, path: str) -> tuple[int, str]:
    answer = await stage.http.get(f"{stage.well.url}{path}")
    return answer.status_code, answer.text


async def _status(stage: Stage) -> dict[str, Any]:
    answer = await stage.http.get(f"{stage.well.url}/status")
    whole: dict[str, Any] = answer.raise_for_status().json()
    return whole


async def test_in_an_outage_the_probes_and_the_status_say_what_is_known(own_server: EmbeddedServer) -> None:
    async with running_stage(own_server.dsn) as stage:
        await stage.open_for(MINE, **books_of(MINE))
        await stage.all_decided(MINE)
        assert await _get(stage, "/readyz") == (200, "ready\n")
        await own_server.stop()
        status, text = await _get(stage, "/readyz")
        assert (status, text.splitlines()[0]) == (503, "postgres: Postgres does not answer.")
        assert await _get(stage, "/livez") == (200, "alive\n")
        whole = await _status(stage)
        assert whole["checks"] == {"postgres": "Postgres does not answer."}
        assert "ingest.normalize" in {group["name"] for group in whole["groups"]}
        assert "pusher.submit" in {worker["name"] for worker in whole["workers"]}
        assert 'well_answers{name="postgres"} 0.0' in (await _get(stage, "/metrics"))[1]
        await start_embedded(Path(own_server.dsn.partition("host=")[2]))

        async def ready() -> bool:
            return (await _get(stage, "/readyz"))[0] == 200

        await until(ready, deadline_seconds=60)
        assert 'well_answers{name="postgres"} 1.0' in (await _get(stage, "/metrics"))[1]


async def test_the_status_shows_a_workspace_to_its_own_session_alone(postgres: PostgresFixture) -> None:
    async with running_stage(postgres.dsn) as stage:
        for customer in (MINE, OTHER):
            await stage.open_for(customer, **books_of(customer))
        for path in ("/status", "/metrics", "/readyz"):
            text = (await _get(stage, path))[1]
            for customer in (MINE, OTHER):
                assert not [word for word in (str(customer.workspace), customer.tenant, customer.word) if word in text]
        async with stage.browser(MINE) as browser:
            shown = (await browser.get(f"{stage.well.url}/status")).json()["workspaces"]
        assert list(shown) == [str(MINE.workspace)]
        assert shown[str(MINE.workspace)]["connections"] == {"xero": "active", "qonto": "active"}


async def test_a_part_that_cannot_be_read_is_a_sentence_and_the_others_are_shown(postgres: PostgresFixture) -> None:
    async with running_stage(postgres.dsn) as stage:
        await stage.open_for(MINE, **books_of(MINE))
        admin = await postgres.admin()
        await admin.execute("UPDATE auth.connection SET access_token = '\\x00'")
        async with stage.browser(MINE) as browser:
            shown = (await browser.get(f"{stage.well.url}/status")).json()["workspaces"][str(MINE.workspace)]
        assert shown["connections"] == {"sentence": "A value of auth.connection.access_token has no key that opens it."}
        assert shown["pulls"].keys() == {"xero", "qonto"}


async def test_a_worker_that_fails_on_and_on_makes_the_process_unready_with_its_sentence() -> None:
    async def step() -> int:
        raise Transient("It is away.")

    worker = Worker("ingest.fetch", step, 0.1)
    health = Health("ingest", checks=(), carriers=(), workers=(worker,))
    for _ in range(UNREADY_FAILURES - 1):
        await worker._once()
    assert (await health.standing()).held_up == {}
    await worker._once()
    assert (await health.standing()).held_up == {"ingest.fetch": "It is away."}
