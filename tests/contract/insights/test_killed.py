"""Insights over a real broker: killed, started again, and built up from nothing, it tells the same figures."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import orjson
import pytest
from aiokafka import AIOKafkaConsumer

from libs.bus.kafka.message import Message
from libs.contracts.topics import INSIGHTS_DEAD_LETTERS
from libs.crypto.seal import DataKey, WorkspaceKeys, WorkspaceSeal
from libs.runtime.clock import SystemClock
from services.insights.adapters.memory import MemoryLines, MemoryVerdicts
from services.insights.flow.read_model import ReadModel
from tests.contract.insights.reading import KEY, Reading, make_topics, reading, send
from tests.contract.insights.reading_process import ERASED
from tests.support.stories import Sent, Storyteller
from tests.support.until import until

pytestmark = pytest.mark.slow

START_SECONDS = 90.0
"""For a process to join its group and read its table, on a busy machine."""


def storyteller(workspace: UUID) -> Storyteller:
    key = DataKey(UUID(int=1), KEY)
    return Storyteller(WorkspaceSeal(WorkspaceKeys(workspace, key, {key.id: key}, bytes(32))), workspace)


def bills(stories: Storyteller, first: int, last: int) -> list[Sent]:
    """Bills of the last two days; every third waits for a person, every fifth is linked."""
    now = datetime.now(UTC)
    return [
        sent
        for bill in range(first, last)
        for sent in stories.bill(
            f"xero/bill/{bill}",
            now - timedelta(minutes=bill * 7 % 2880, milliseconds=bill),
            "review" if bill % 3 == 0 else "link" if bill % 5 == 0 else "post",
        )
    ]


async def expected(workspace: UUID, messages: Sequence[Sent]) -> dict[str, Any]:
    """The figures by the same rules over lines in memory, from each message once."""
    verdicts = MemoryVerdicts({sent.event_id: sent.verdict for sent in messages if sent.verdict})
    model = ReadModel(verdicts=verdicts, clock=SystemClock())
    await model.begin(MemoryLines())
    for sent in messages:
        await model.take(sent.topic, sent.message)
    return dict(orjson.loads(orjson.dumps(model.shown(workspace, 168))))


async def test_killed_and_built_up_again_it_tells_the_same_figures(kafka: str, topic_prefix: str) -> None:
    workspace = uuid4()
    stories = storyteller(workspace)
    before, after = bills(stories, 0, 150), bills(stories, 150, 300)
    before_told, told = await expected(workspace, before), await expected(workspace, [*before, *after])
    assert told["together"]["pulled"] == 300
    assert told["together"]["queued"] == 100
    assert told["together"]["posted"] == told["together"]["decided"]["post"] == 160
    assert 1000 <= told["together"]["stages"]["decide"]["p95_ms"] <= 1125
    await make_topics(kafka, topic_prefix)

    async with reading(kafka, topic_prefix) as first:
        await send(kafka, topic_prefix, before)
        await _tells(first, workspace, before_told)
        await send(kafka, topic_prefix, [*before[-40:], *after])

        async def is_amid() -> bool:
            return bool((await first.figures(workspace))["together"]["pulled"] > 150)

        await until(is_amid)
        await first.kill()
    async with reading(kafka, topic_prefix) as second:
        await _tells(second, workspace, told)
        await send(kafka, topic_prefix, after[-40:])
        await second.kill()
    async with (
        reading(kafka, topic_prefix) as third,
        reading(kafka, topic_prefix, group="insights-from-nothing") as from_nothing,
    ):
        for each in (third, from_nothing):
            await _tells(each, workspace, told)


async def test_what_is_no_event_is_set_aside_and_everybody_sees_only_their_own(kafka: str, topic_prefix: str) -> None:
    workspace, other, erased = uuid4(), uuid4(), ERASED
    mine, theirs, nobodys = (
        storyteller(each).bill("xero/bill/1", datetime.now(UTC)) for each in (workspace, other, erased)
    )
    odd = Sent("qonto.posted.v1", 0, Message(b"key", b"value", [("traceparent", b"t")]), uuid4())
    await make_topics(kafka, topic_prefix)
    async with reading(kafka, topic_prefix) as insights:
        await send(kafka, topic_prefix, [odd, *mine, *theirs[:1], *nobodys])
        told = await expected(workspace, mine)
        await _tells(insights, workspace, told)
        assert (await insights.figures(other))["together"]["pulled"] == 1
        for session in ("", "no-session"):
            refused = await insights.asked(session)
            assert (refused.status_code, list(refused.json())) == (httpx.codes.FORBIDDEN, ["sentence"])
        for hours in ("0", "169", "-1", "1e2", "9" * 5000):
            assert (await insights.asked(str(workspace), hours)).status_code == httpx.codes.BAD_REQUEST
        async with (
            AIOKafkaConsumer(
                topic_prefix + INSIGHTS_DEAD_LETTERS, bootstrap_servers=kafka, auto_offset_reset="earliest"
            ) as letters,
            asyncio.timeout(START_SECONDS),
        ):
            letter = await letters.getone()
    assert (letter.key, letter.value) == (b"key", b"value")
    headers = dict(letter.headers)
    assert headers["traceparent"] == b"t"
    assert headers["insights_from"] == f"{topic_prefix}qonto.posted.v1/0/0".encode()
    assert headers["insights_code"] == b"message_header"


async def _tells(insights: Reading, workspace: UUID, wanted: dict[str, Any]) -> None:
    """Wait until it tells these figures; otherwise what it told last is shown beside them."""
    told: dict[str, Any] = {}

    async def does() -> bool:
        nonlocal told
        told = await insights.figures(workspace)
        return told == wanted

    with suppress(AssertionError):
        await until(does, deadline_seconds=START_SECONDS)
    assert told == wanted
