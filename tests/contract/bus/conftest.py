"""The worlds that the contract of a transport holds in."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import pytest

from libs.bus.kafka.topic_plan import plan_topics, wanted_topics
from libs.bus.kafka.topics import open_topics
from libs.contracts.topics import TOPICS
from libs.database.postgres import open_pool
from libs.database.roles import RELAY
from libs.runtime.clock import Clock, SystemClock
from tests.contract.bus.worlds import KafkaWorld, World
from tests.support.forms import Form
from tests.support.kafka_broker import Broker
from tests.support.memory import MemoryFixture
from tests.support.postgres import PostgresFixture

PARTITIONS: Final = 4
"""Partitions of a topic in these tests: enough to share, few enough to be made quickly."""


async def _embedded(form: Form) -> World:
    return World(
        source=form.log("ingest"),
        source_database=await form.database("ingest"),
        target=form.log("audit"),
        target_database=await form.database("audit"),
        reader=await form.reader(),
        workspace=form.workspace,
    )


@pytest.fixture
async def memory_world(memory: MemoryFixture) -> World:
    """The embedded transport over logs in memory."""
    return await _embedded(memory)


@pytest.fixture
async def postgres_world(postgres: PostgresFixture) -> World:
    """The embedded transport over logs in Postgres."""
    return await _embedded(postgres)


@pytest.fixture
async def kafka_world(postgres: PostgresFixture, kafka: str, topic_prefix: str) -> AsyncIterator[KafkaWorld]:
    """Logs in Postgres with a Kafka cluster between them."""
    async with _over_kafka(postgres, kafka, topic_prefix) as world:
        yield world


@pytest.fixture
async def mortal_world(postgres: PostgresFixture, mortal_kafka: Broker, topic_prefix: str) -> AsyncIterator[KafkaWorld]:
    """The same over a broker that the test may stop."""
    async with _over_kafka(postgres, mortal_kafka.ports.bootstrap, topic_prefix, SystemClock()) as world:
        yield world


@asynccontextmanager
async def _over_kafka(
    postgres: PostgresFixture, bootstrap: str, prefix: str, clock: Clock | None = None
) -> AsyncIterator[KafkaWorld]:
    embedded = await _embedded(postgres)
    of_source = [topic for topic in TOPICS if topic.owner == embedded.source.name]
    async with open_topics(bootstrap) as topics:
        wanted = wanted_topics(prefix, partitions=PARTITIONS, replicas=1, registry=of_source)
        await topics.carry_out(plan_topics(wanted, []))
    pool = await open_pool(postgres.dsn, role=RELAY)
    said = vars(embedded) | ({"clock": clock} if clock else {})
    world = KafkaWorld(**said, relay_pool=pool, bootstrap=bootstrap, prefix=prefix, partitions=PARTITIONS)
    yield world
    await world.relay.close()
    await pool.close()


@pytest.fixture(params=["memory", "postgres", "kafka"])
def world(request: pytest.FixtureRequest) -> World:
    """Each of them. Not async: an async fixture may not ask for another by name."""
    chosen: World = request.getfixturevalue(f"{request.param}_world")
    return chosen
