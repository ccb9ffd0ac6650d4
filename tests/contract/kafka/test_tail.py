"""`well topics tail` against a real broker and a real auth, as a person uses it."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID, uuid4

from aiokafka import AIOKafkaProducer

from services.audit.domain.words import sentence_of
from tests.contract.kafka.telling import TOPICS, Telling, golden_events


@dataclass(frozen=True)
class _Said:
    """What a command that ended has said."""

    status: int
    output: str
    complaint: str


async def _tail(telling: Telling, workspace: UUID, grant: str, *words: str) -> _Said:
    process = await asyncio.create_subprocess_exec(
        *(Path(sys.executable).with_name("well"), "topics", "tail", "--workspace", str(workspace)),
        *("--from-start", "--once", *words),
        env={
            "PATH": os.environ["PATH"],
            "WELL_KAFKA": telling.bootstrap,
            "WELL_TOPIC_PREFIX": telling.prefix,
            "WELL_AUTH_URL": telling.url,
            "WELL_GRANT": grant,
        },
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(60):
        output, complaint = await process.communicate()
    return _Said(process.returncode or 0, output.decode(), complaint.decode())


def _topics(*names: str) -> list[str]:
    return [word for name in names for word in ("--topic", name)]


async def test_a_person_reads_what_the_topics_say_of_one_workspace(telling: Telling) -> None:
    workspace, other = uuid4(), uuid4()
    events = golden_events(workspace)
    await telling.append(events)
    await telling.append(golden_events(other))
    await telling.send_all(times=1)
    grant = await telling.auth.reading.grant(workspace, "a person")
    said = await _tail(telling, workspace, grant, *_topics(*TOPICS))
    assert said.status == 0, said.complaint
    lines = said.output.splitlines()
    assert len(lines) == len(events)
    for event in events:
        assert any(event.record in line and line.endswith(sentence_of(event)) for line in lines)

    whole = await _tail(telling, workspace, grant, "--json", *_topics("match.decided.v1"))
    told = {line["id"] for line in map(json.loads, whole.output.splitlines())}
    assert told == {str(event.id) for event in events if event.topic == "match.decided.v1"}


async def test_what_cannot_be_read_is_said_and_stops_nothing(telling: Telling) -> None:
    workspace = uuid4()
    async with AIOKafkaProducer(bootstrap_servers=telling.bootstrap) as producer:
        await producer.send_and_wait(telling.prefix + "match.decided.v1", b"{}", partition=0)
    events = golden_events(workspace)
    await telling.append(events)
    await telling.send_all(times=1)
    grant = await telling.auth.reading.grant(workspace, "a person")
    said = await _tail(telling, workspace, grant, "--json", *_topics(*TOPICS))
    assert "The header" in said.complaint
    assert len(said.output.splitlines()) == len(events)


async def test_a_grant_for_another_workspace_or_none_reads_nothing(telling: Telling) -> None:
    grant = await telling.auth.reading.grant(uuid4(), "a person")
    for shown, why in ((grant, "for another workspace"), ("nonsense", "opens nothing"), ("é", "characters that none")):
        said = await _tail(telling, uuid4(), shown, *_topics(*TOPICS))
        assert said.status == 1
        assert why in said.complaint
        assert said.output == ""


async def test_a_topic_that_is_not_there_is_said(telling: Telling) -> None:
    workspace = uuid4()
    grant = await telling.auth.reading.grant(workspace, "a person")
    for name, why in (("match.drawn.v1", "There is no topic"), ("xero.raw.v1", "The cluster has no topic")):
        said = await _tail(telling, workspace, grant, *_topics(name))
        assert why in said.complaint
