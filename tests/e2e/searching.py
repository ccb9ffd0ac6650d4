"""Looks for words in all that a run has written: a dump of Postgres, documents, topics, logs and pages."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from aiokafka import AIOKafkaConsumer
from aiokafka.structs import TopicPartition

from libs.bus.kafka.topics import open_topics
from tests.e2e.apart import Apart
from tests.support.web import web_client

PAGES: Final = ("livez", "readyz", "status", "metrics")

Written: Final = dict[str, bytes]
"""What lies somewhere, by where."""


def forms_of(word: bytes) -> tuple[bytes, ...]:
    """A word as it may stand in a text or among bytes: itself, in hexadecimal, in base64 wherever it begins."""
    shifted = []
    for before in range(3):
        coded = base64.b64encode(bytes(before) + word)
        shifted.append(coded[-(-before * 8 // 6) : (before + len(word)) * 8 // 6])
    url_safe = [piece.replace(b"+", b"-").replace(b"/", b"_") for piece in shifted]
    return tuple(dict.fromkeys((word, word.hex().encode(), word.hex().upper().encode(), *shifted, *url_safe)))


def found_in(written: Mapping[str, bytes], words: Iterable[bytes]) -> set[str]:
    """Where one of the words stands, in whatever form. What was found is not repeated: it may be a secret."""
    wanted = [form for word in words for form in forms_of(word)]
    return {place for place, content in written.items() if any(form in content for form in wanted)}


async def everything_at_rest(apart: Apart) -> Written:
    """A dump of the database, every document, and every message of every topic as a reader sees it."""
    blobs = {f"blob {file.name}": file.read_bytes() for file in apart.installation.blobs.rglob("*") if file.is_file()}
    assert apart.kafka is not None
    return {"pg_dump": await dump_of(apart), **blobs, **await messages_of(*apart.kafka)}


async def dump_of(apart: Apart) -> bytes:
    """What `pg_dump` writes; columns of bytes stand in it in hexadecimal."""
    binary = apart.server._server.bin_path / "pg_dump"
    process = await asyncio.create_subprocess_exec(binary, apart.dsn, stdout=asyncio.subprocess.PIPE)
    written, _ = await process.communicate()
    assert process.returncode == 0
    return written


async def messages_of(bootstrap: str, prefix: str) -> Written:
    """Key, headers and value of all messages of a topic, by topic; a log segment holds them compressed."""
    read: dict[str, list[bytes]] = {}
    async with open_topics(bootstrap) as cluster:
        topics = await cluster.standing(prefix)
    async with AIOKafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False) as consumer:
        places = [TopicPartition(topic.name, each) for topic in topics for each in range(topic.partitions)]
        consumer.assign(places)
        await consumer.seek_to_beginning(*places)
        ends = await consumer.end_offsets(places)
        while [place for place, end in ends.items() if await consumer.position(place) < end]:
            for place, records in (await consumer.getmany(timeout_ms=200)).items():
                for record in records:
                    headers = [piece for name, value in record.headers for piece in (name.encode(), value)]
                    read.setdefault(place.topic, []).extend((record.key or b"", record.value or b"", *headers))
    return {f"topic {topic}": b"\0".join(pieces) for topic, pieces in read.items()}


def segments_of(folder: Path, prefix: str) -> Written:
    """The broker's own files of our topics, where they lie on this machine."""
    return {f"segment {file.parent.name}/{file.name}": file.read_bytes() for file in folder.glob(f"{prefix}*/*.log")}


async def everything_said(apart: Apart) -> Written:
    """What processes wrote to their outputs, and what they answer to anybody who asks how they stand."""
    folder = apart.installation.folder
    said = {file.name: file.read_bytes() for ending in ("out", "err") for file in folder.glob(f"*.{ending}")}
    async with web_client() as http:
        for service in apart.started:
            for page in PAGES:
                said[f"{service}/{page}"] = (await http.get(f"{apart.url(service)}/{page}")).content
    return said
