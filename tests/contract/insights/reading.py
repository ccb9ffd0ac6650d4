"""Starting insights as a process, sending it messages, and asking it."""

from __future__ import annotations

import asyncio
import os
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import httpx
from aiokafka import AIOKafkaProducer

from libs.auth_client.wire import SESSION_COOKIE
from libs.bus.kafka.message import partition_of
from libs.bus.kafka.topic_plan import plan_topics, wanted_topics
from libs.bus.kafka.topics import open_topics
from tests.support.stories import Sent
from tests.support.web import web_client

PARTITIONS: Final = 2

KEY: Final = bytes(range(32))


@dataclass(frozen=True)
class Reading:
    """A process of insights."""

    process: Process
    url: str
    http: httpx.AsyncClient

    async def figures(self, workspace: UUID, hours: str = "168") -> dict[str, Any]:
        """What it tells a browser of a workspace."""
        told = await self.asked(str(workspace), hours)
        return dict(told.json()) if told.status_code == httpx.codes.OK else {}

    async def asked(self, session: str, hours: str = "24") -> httpx.Response:
        """Its answer."""
        headers = {"Cookie": f"{SESSION_COOKIE}={session}"}
        return await self.http.get(f"{self.url}/insights", params={"hours": hours}, headers=headers)

    async def kill(self) -> None:
        """End it as a power cut would."""
        self.process.kill()
        await self.process.wait()


@asynccontextmanager
async def reading(bootstrap: str, prefix: str, *, group: str = "") -> AsyncIterator[Reading]:
    """Insights in a process of its own, listening."""
    told = {"READING_KAFKA": bootstrap, "READING_PREFIX": prefix, "READING_GROUP": group, "READING_KEY": KEY.hex()}
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.contract.insights.reading_process",
        env=os.environ | told,
        stdout=PIPE,
        cwd=Path(__file__).parents[3],
    )
    assert process.stdout is not None
    try:
        port = (await process.stdout.readline()).decode().strip()
        assert port, "insights did not start; what it says stands above"
        async with web_client() as http:
            yield Reading(process, f"http://127.0.0.1:{port}", http)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def make_topics(bootstrap: str, prefix: str) -> None:
    """The topics of the registry under a prefix, small."""
    async with open_topics(bootstrap) as topics:
        await topics.carry_out(plan_topics(wanted_topics(prefix, partitions=PARTITIONS, replicas=1), []))


async def send(bootstrap: str, prefix: str, messages: Iterable[Sent]) -> None:
    """Send messages as a relay does: each by the partition of its bucket, in order."""
    async with AIOKafkaProducer(bootstrap_servers=bootstrap, enable_idempotence=True) as producer:
        acknowledged = [
            await producer.send(
                prefix + sent.topic,
                sent.message.value,
                key=sent.message.key,
                partition=partition_of(sent.bucket, PARTITIONS),
                headers=[(name, value or b"") for name, value in sent.message.headers],
            )
            for sent in messages
        ]
        await asyncio.gather(*acknowledged)
