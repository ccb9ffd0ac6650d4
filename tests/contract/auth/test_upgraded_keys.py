"""What was sealed while a workspace had one key for everything opens after the upgrade, under every purpose."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from uuid import uuid4

import asyncpg
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from libs.crypto.key_provider import MemoryKeyProvider
from libs.crypto.seal import DataKey, WorkspaceKeys, WorkspaceSeal
from libs.database.schemas import MIGRATIONS
from libs.runtime.clock import SystemClock
from services.auth.adapters.postgres_keys import PostgresKeyStore
from services.auth.domain.wrapped_key import PURPOSES
from services.auth.flow.keyring import StoredKeyring
from tests.support.postgres import PostgresFixture

KEK, NONCE = b"k" * 32, b"n" * 12
PLACE = {"table": "t", "row": "r", "column": "c"}


async def _run_as_an_owner_who_is_no_superuser(postgres: PostgresFixture, script: str) -> None:
    """Row-level security is forced on both tables, and binds such an owner too."""
    owner = f"owner_{uuid4().hex}"
    connection = await asyncpg.connect(postgres.dsn)
    try:
        await connection.execute(f"CREATE ROLE {owner}; GRANT USAGE, CREATE ON SCHEMA auth TO {owner}")
        await connection.execute(f"ALTER TABLE auth.workspace_key OWNER TO {owner}")
        await connection.execute(f"ALTER TABLE auth.workspace OWNER TO {owner}")
        await connection.execute(f"SET ROLE {owner}")
        await connection.execute(script)
        await connection.execute(f"RESET ROLE; REASSIGN OWNED BY {owner} TO CURRENT_USER; DROP OWNED BY {owner}")
        await connection.execute(f"DROP ROLE {owner}")
    finally:
        await connection.close()


async def test_the_one_key_of_an_older_version_opens_under_every_purpose(postgres: PostgresFixture) -> None:
    workspace, key, index_secret = uuid4(), DataKey(uuid4(), b"s" * 32), b"i" * 32
    before = WorkspaceSeal(WorkspaceKeys(workspace, key, {key.id: key}, index_secret))
    sealed, blinded = before.seal(b"a token", **PLACE), before.blind("record", "xero/bill/1")
    first, purposes = (
        (MIGRATIONS / "auth" / name).read_text("utf-8") for name in ("0001_first.sql", "0006_purposes.sql")
    )
    found = re.search(r"CREATE TABLE auth\.workspace_key .*?(?=-- A row is the consent)", first, re.DOTALL)
    assert found is not None
    admin = await postgres.admin()
    await admin.execute("DROP TABLE auth.workspace_key; ALTER TABLE auth.workspace DROP COLUMN erased_at")
    await admin.execute(found[0])
    now = datetime.now(UTC)
    for purpose, id_, secret in (("row", key.id, key.secret), ("index", uuid4(), index_secret)):
        wrapped = NONCE + AESGCM(KEK).encrypt(NONCE, secret, workspace.bytes)
        row = "INSERT INTO auth.workspace_key VALUES ($1, $2, $3, $4, true, $5)"
        await admin.execute(row, workspace, id_, purpose, wrapped, now)
    await _run_as_an_owner_who_is_no_superuser(postgres, purposes)

    database, store = await postgres.database("auth"), PostgresKeyStore()
    keyring = StoredKeyring(database, store, MemoryKeyProvider(KEK), SystemClock())
    for purpose in PURPOSES:
        seal = WorkspaceSeal(await keyring.keys(workspace, purpose))
        assert seal.open(sealed, **PLACE) == b"a token"
    assert WorkspaceSeal(await keyring.keys(workspace, "payloads")).blind("record", "xero/bill/1") == blinded
