"""Fixtures over a real broker."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.contract.kafka.telling import Telling, auth_listening
from tests.support.postgres import PostgresFixture


@pytest.fixture
async def telling(kafka: str, topic_prefix: str, postgres: PostgresFixture) -> AsyncIterator[Telling]:
    """Well's logs, its auth and its topics."""
    async with auth_listening() as (auth, url):
        well = Telling(postgres, auth, url, kafka, topic_prefix)
        await well.make_topics()
        yield well
