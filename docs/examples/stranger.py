"""Prints what Well decides and posts for one workspace, each event once. Needs aiokafka and cryptography, not Well."""

import asyncio
import json
import os
import sqlite3
import urllib.request
from uuid import UUID

from aiokafka import AIOKafkaConsumer
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KAFKA, AUTH, GRANT = (os.environ[name] for name in ("WELL_KAFKA", "WELL_AUTH_URL", "WELL_GRANT"))
TOPICS = [os.environ.get("WELL_TOPIC_PREFIX", "") + name for name in ("match.decided.v1", "qonto.posted.v1")]


def right_to_open() -> dict:
    headers = {"Authorization": f"Bearer {GRANT}"}
    request = urllib.request.Request(f"{AUTH}/internal/v1/opening-keys", headers=headers)
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)  # {"workspace": id, "keys": {id: hex}}


def opened(headers: dict, sealed: bytes, key_id: str, key: str) -> bytes:
    place = (headers["well_workspace"], headers["well_log"] + ".event_log", headers["ce_id"], "sealed", key_id)
    return AESGCM(bytes.fromhex(key)).decrypt(sealed[17:29], sealed[29:], "\x1f".join(place).encode())


async def main() -> None:
    right, db = right_to_open(), sqlite3.connect("stranger.db")
    db.execute("CREATE TABLE IF NOT EXISTS event (id TEXT PRIMARY KEY, content TEXT)")
    settings = {"group_id": "stranger", "auto_offset_reset": "earliest", "enable_auto_commit": False}
    async with AIOKafkaConsumer(*TOPICS, bootstrap_servers=KAFKA, **settings) as consumer:
        async for message in consumer:
            headers = {name: value.decode() for name, value in message.headers}
            if headers["well_workspace"] == right["workspace"]:
                key_id = str(UUID(bytes=message.value[1:17]))
                if key_id not in right["keys"]:  # the workspace has a new key
                    right = right_to_open()
                event = opened(headers, message.value, key_id, right["keys"][key_id])
                with db:  # that we have seen it, and what we do about it: both or neither
                    told = db.execute("INSERT OR IGNORE INTO event VALUES (?, ?)", (headers["ce_id"], event))
                if told.rowcount:
                    print(event.decode(), flush=True)
            await consumer.commit()


asyncio.run(main())
