"""`well topics replay` as an operator runs it: a process of its own, beside a service, with its variables."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path

from libs.crypto.service_secret import SECRET_BYTES
from tests.contract.bus.echoes import Echo
from tests.contract.bus.worlds import TOPIC, KafkaWorld, drain, pulled, running
from tests.support.postgres import PostgresFixture

BILLS = 20


@dataclass(frozen=True)
class Operator:
    """Somebody at a terminal beside ingest."""

    world: KafkaWorld
    environment: dict[str, str]

    async def well(self, *words: str, answer: str = "") -> tuple[int, str, str]:
        """Run `well topics replay`; its status, what it wrote, and what it complained of."""
        process = await asyncio.create_subprocess_exec(
            Path(sys.executable).with_name("well"),
            *("topics", "replay", *words),
            env=self.environment,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        async with asyncio.timeout(60):
            output, complaint = await process.communicate(answer.encode())
        return process.returncode or 0, output.decode(), complaint.decode()


def _beside_ingest(world: KafkaWorld, postgres: PostgresFixture, folder: Path) -> Operator:
    secret = folder / "ingest"
    secret.write_bytes(os.urandom(SECRET_BYTES))
    secret.chmod(0o600)
    environment = {
        "PATH": os.environ["PATH"],
        "COLUMNS": "120",
        "WELL_KAFKA": world.bootstrap,
        "WELL_TOPIC_PREFIX": world.prefix,
        "WELL_DATABASE_URL": postgres.dsn,
        "WELL_SERVICE_SECRET_FILE": str(secret),
    }
    return Operator(world, environment)


async def test_it_shows_what_would_be_sent_and_does_nothing_when_refused(
    kafka_world: KafkaWorld, postgres: PostgresFixture, tmp_path: Path
) -> None:
    operator = _beside_ingest(kafka_world, postgres, tmp_path)
    await kafka_world.publish(*[pulled(kafka_world.workspace, bill) for bill in range(BILLS)])
    status, said, _ = await operator.well(TOPIC, answer="n\n")
    assert status == 1
    assert said.index("would be sent again") < said.index("Send them again?")
    assert said.split("all", 1)[1].split()[0] == str(BILLS)
    assert sum((await kafka_world.ends()).values()) == BILLS


async def test_it_waits_until_the_relay_has_sent_them_and_says_so(
    kafka_world: KafkaWorld, postgres: PostgresFixture, tmp_path: Path
) -> None:
    operator = _beside_ingest(kafka_world, postgres, tmp_path)
    await kafka_world.publish(*[pulled(kafka_world.workspace, bill) for bill in range(BILLS)])
    async with running(kafka_world.relay):
        status, said, complaint = await operator.well(TOPIC, "--yes")
    assert status == 0, complaint
    assert said.splitlines()[-1] == f"✓ All of it is on the topic again: {BILLS} events."
    assert sum((await kafka_world.ends()).values()) == 2 * BILLS
    await drain(kafka_world.consumer(Echo()))
    assert len(await kafka_world.written()) == BILLS


async def test_one_partition_can_be_asked_for_and_is_sent_once_a_relay_runs(
    kafka_world: KafkaWorld, postgres: PostgresFixture, tmp_path: Path
) -> None:
    operator = _beside_ingest(kafka_world, postgres, tmp_path)
    await kafka_world.publish(*[pulled(kafka_world.workspace, bill) for bill in range(BILLS)])
    before = await kafka_world.ends()
    await kafka_world.relay.close()
    status, said, complaint = await operator.well(TOPIC, "--partition", "2", "--yes", "--json")
    assert status == 0, complaint
    told = json.loads(said)
    place = (kafka_world.topic, 2)
    assert told == {"topic": TOPIC, "events": before[place], "partitions": {"2": before[place]}, "relay_runs": False}
    await kafka_world.publish()
    grown = {place: end - before[place] for place, end in (await kafka_world.ends()).items()}
    assert grown == dict.fromkeys(before, 0) | {place: before[place]}


async def test_what_cannot_be_done_is_said(kafka_world: KafkaWorld, postgres: PostgresFixture, tmp_path: Path) -> None:
    operator = _beside_ingest(kafka_world, postgres, tmp_path)
    for words, why in (
        (["xero.row.v1"], "There is no topic xero.row.v1"),
        (["match.decided.v1"], "The cluster has no topic"),
        ([TOPIC, "--partition", "4"], "The topic has partitions 0 to 3."),
        ([TOPIC, "--json"], "say --yes as well"),
    ):
        status, _, complaint = await operator.well(*words)
        assert (status, why in complaint) == (1, True), complaint
    status, said, _ = await operator.well(TOPIC)
    assert (status, said) == (0, f"There is nothing of {TOPIC} to send again.\n")
    del operator.environment["WELL_SERVICE_SECRET_FILE"]
    status, _, complaint = await operator.well(TOPIC)
    assert complaint.startswith("Run this beside ingest, with its variables: WELL_DATABASE_URL")
