"""Answers kept for idempotency keys. Source: docs.qonto.com/api-reference/business-api/introduction/idempotency."""

from __future__ import annotations

from typing import Any, Final

import orjson

from libs.qonto.standin.grants import SECOND
from libs.qonto.standin.world import World

REMEMBERED_SECONDS: Final = 1800
"""Seconds a key is answered from memory, whatever body comes with it: 30 minutes. Later it is a new key."""


def recall(world: World, organization_id: str, scope: str, key: str) -> dict[str, Any] | None:
    """The answer a key had, within its 30 minutes."""
    row = world.store.row(
        "select answer from remembered where organization_id = ? and scope = ? and key = ? and until > ?",
        organization_id,
        scope,
        key,
        world.micros(),
    )
    answer: dict[str, Any] | None = None if row is None else orjson.loads(row["answer"])
    return answer


def remember(world: World, organization_id: str, scope: str, key: str, answer: dict[str, Any]) -> None:
    """Keep a good answer for 30 minutes; a refusal is not kept."""
    world.store.run("delete from remembered where until <= ?", world.micros())
    world.store.run(
        "insert or replace into remembered values (?, ?, ?, ?, ?)",
        organization_id,
        scope,
        key,
        world.micros() + REMEMBERED_SECONDS * SECOND,
        orjson.dumps(answer).decode(),
    )
