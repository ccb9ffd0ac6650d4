"""Where the schemas of the services are described, and whether a database has the newest of them."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Final

import asyncpg

from libs.database.postgres import lost_as_transient

MIGRATIONS: Final = Path(__file__).parents[2] / "deploy" / "migrations"

_EVENT_LOG: Final = Path(__file__).parents[1] / "eventlog"

SERVICES: Final = ("auth", "xero_mcp", "ingest", "matcher", "pusher", "console", "audit")
"""Services with a schema, in the order in which theirs are made."""


def fingerprint() -> str:
    """The digest of every migration there is. A database that carries it needs none of them."""
    digest = hashlib.sha256()
    for file in sorted([*MIGRATIONS.rglob("*.sql"), *MIGRATIONS.rglob("[0-9]*.py"), *_EVENT_LOG.glob("*.sql")]):
        digest.update(file.name.encode() + b"\x1f" + file.read_bytes())
    return digest.hexdigest()


async def is_up_to_date(dsn: str, **login: str) -> bool:
    """Whether the database at an address has had every migration; `user` and `password` if not those of the address.

    Raises:
        Transient: The server could not be reached.
    """
    with lost_as_transient():
        connection = await asyncpg.connect(dsn, **login)
        try:
            if await connection.fetchval("SELECT to_regclass('well.migrated') IS NULL"):
                return False
            return bool(await connection.fetchval("SELECT fingerprint = $1 FROM well.migrated", fingerprint()))
        finally:
            await connection.close()
