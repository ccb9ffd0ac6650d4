"""Migrations: once, whoever starts and however often."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import re
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest
import sqlalchemy

from libs.contracts.errors import Transient
from libs.contracts.topics import TOPICS
from libs.crypto.service_secret import service_secret
from libs.database import migrate as steps
from libs.database import schemas
from libs.database.embedded import start_embedded
from libs.database.migrate import migrate
from libs.database.roles import password_from, role_password
from libs.database.schemas import MIGRATIONS, SERVICES, fingerprint, is_up_to_date
from libs.database.script import read_script, run_script


@pytest.fixture
async def empty(postgres_server: str) -> AsyncIterator[str]:
    """The address of a database without any schema."""
    name = f"empty_{uuid4().hex}"
    admin = await asyncpg.connect(postgres_server)
    await admin.execute(f"CREATE DATABASE {name}")
    yield postgres_server.replace("/postgres?", f"/{name}?")
    await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
    await admin.close()


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that the server's user can reach; pytest's own are closed."""
    folder = Path(tempfile.mkdtemp(prefix="well-pg-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
async def lone_server(open_folder: Path) -> AsyncIterator[str]:
    """The address of a server without any of our roles: they belong to whoever makes them."""
    server = await start_embedded(open_folder / "pg")
    yield server.dsn
    await server.stop()


async def _asked(dsn: str, question: str) -> list[tuple[object, ...]]:
    connection = await asyncpg.connect(dsn)
    try:
        return [tuple(row) for row in await connection.fetch(question)]
    finally:
        await connection.close()


async def _schema(dsn: str) -> list[tuple[object, ...]]:
    return await _asked(
        dsn,
        "SELECT table_schema, table_name, column_name, data_type FROM information_schema.columns "
        "WHERE table_schema NOT IN ('pg_catalog', 'information_schema') ORDER BY 1, 2, 3",
    )


async def test_an_empty_database_gets_every_schema_and_doing_it_again_changes_nothing(empty: str) -> None:
    assert not await is_up_to_date(empty)
    await migrate(empty)
    assert await is_up_to_date(empty)
    before = await _schema(empty)
    assert {schema for schema, *_ in before} == {"well", *SERVICES}
    await migrate(empty)
    assert await _schema(empty) == before
    assert await _asked(empty, "SELECT fingerprint FROM well.migrated") == [(fingerprint(),)]


@pytest.fixture
async def owned(lone_server: str) -> str:
    """The address of an empty database with an owner who may only make roles and schemas."""
    admin = await asyncpg.connect(lone_server)
    await admin.execute("CREATE ROLE owner LOGIN CREATEROLE")
    await admin.execute("CREATE DATABASE owned OWNER owner")
    await admin.close()
    return lone_server.replace("postgres:", "owner:", 1).replace("/postgres?", "/owned?")


async def test_a_user_who_may_only_make_roles_and_schemas_can_migrate_and_upgrade(owned: str) -> None:
    assert await _asked(owned, "SELECT current_user, current_database()") == [("owner", "owned")]
    for _ in ("first", "upgrade"):
        await migrate(owned, passwords={"auth": "s" * 64})
    assert await is_up_to_date(owned)


async def test_such_a_user_upgrades_the_rows_of_every_workspace_too(owned: str) -> None:
    """Row-level security is forced, and binds an owner who is no superuser."""
    await asyncio.to_thread(_migrate_matcher_to, owned, "matcher_0002")
    await _asked(
        owned.replace("owner:", "postgres:", 1),
        """
        WITH event AS (
            INSERT INTO matcher.event_log (bucket, sequence, workspace, event_id, topic, record_key, sealed)
            VALUES (7, 1, gen_random_uuid(), gen_random_uuid(), 'match.decided.v1', 'key', 'sealed')
        )
        INSERT INTO matcher.bill (workspace, bill_id, version, sealed, basis_sha256, is_due, cause, generation, posting,
            posting_generation, posted_invoice_id)
        VALUES (gen_random_uuid(), 'bill', 1, 'sealed', '', false, gen_random_uuid(), 1, 'settled', 1, 'invoice')
        """,
    )
    await migrate(owned)
    as_superuser = owned.replace("owner:", "postgres:", 1)
    carried = "SELECT event_type, occurred_at = appended_at FROM matcher.event_log"
    assert await _asked(as_superuser, carried) == [("match.decided.v1", True)]
    assert await _asked(as_superuser, "SELECT posted_at = said_at FROM matcher.bill") == [(True,)]
    closed = "SELECT count(*) FROM pg_class WHERE relrowsecurity AND NOT relforcerowsecurity"
    assert await _asked(owned, closed) == [(0,)]


def _migrate_matcher_to(dsn: str, revision: str) -> None:
    engine = sqlalchemy.create_engine(steps._for_psycopg(dsn), poolclass=sqlalchemy.NullPool)
    with engine.connect() as connection:
        steps._make_roles(connection, SERVICES, {})
        run_script(connection, read_script(MIGRATIONS / "bootstrap.sql"))
        steps._upgrade(connection, "matcher", revision)


async def test_a_role_has_the_password_that_follows_from_its_services_own_secret(empty: str) -> None:
    master = b"m" * 32
    password = password_from(master, "pusher")
    await migrate(empty, passwords={"pusher": password})
    ((kept,),) = await _asked(empty, "SELECT rolpassword FROM pg_authid WHERE rolname = 'well_pusher'")
    iterations, salt, stored_key, _ = re.fullmatch(r"SCRAM-SHA-256\$(\d+):(.+)\$(.+):(.+)", str(kept)).groups()  # type: ignore[union-attr]  # else the test fails
    assert password == role_password(service_secret(master, "pusher"), "well_pusher")
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), base64.b64decode(salt), int(iterations))
    client_key = hmac.digest(salted, b"Client Key", "sha256")  # RFC 5802, section 3
    assert base64.b64encode(hashlib.sha256(client_key).digest()).decode() == stored_key


async def test_two_processes_that_start_together_migrate_one_after_the_other(empty: str) -> None:
    await asyncio.gather(migrate(empty), migrate(empty))
    assert await is_up_to_date(empty)
    heads = await _asked(empty, "SELECT count(*), max(sequence) FROM ingest.event_head")
    assert heads == [(64, 0)]


async def test_a_database_with_some_services_is_not_up_to_date(empty: str) -> None:
    await migrate(empty, services=("auth",))
    assert not await is_up_to_date(empty)
    await migrate(empty)
    assert await is_up_to_date(empty)


async def test_a_database_of_another_version_is_not_up_to_date(empty: str) -> None:
    await migrate(empty)
    await _asked(empty, "UPDATE well.migrated SET fingerprint = 'of another version'")
    assert not await is_up_to_date(empty)


async def test_a_server_that_does_not_answer_is_worth_another_try(tmp_path: Path) -> None:
    nowhere = f"postgresql://postgres@/postgres?host={tmp_path}"
    with pytest.raises(Transient):
        await migrate(nowhere)
    with pytest.raises(Transient):
        await is_up_to_date(nowhere)


def test_the_fingerprint_covers_every_migration_and_the_event_log() -> None:
    assert fingerprint() == fingerprint()
    covered = [*MIGRATIONS.rglob("*.sql"), *MIGRATIONS.rglob("[0-9]*.py"), *schemas._EVENT_LOG.glob("*.sql")]
    assert all(file.is_file() for file in covered)
    assert {file.parent.name for file in MIGRATIONS.rglob("[0-9]*.py")} == set(SERVICES)


async def test_a_group_that_was_far_in_a_log_is_as_far_in_each_of_its_topics(empty: str) -> None:
    await migrate(empty, services=("audit",))
    before, after = ((schemas._EVENT_LOG / file).read_text() for file in ("schema.sql", "by_topic.sql"))
    connection = await asyncpg.connect(empty)
    try:
        await connection.execute("DROP TABLE audit.event_log, audit.event_head, audit.consumed")
        await connection.execute(before.replace("{service}", "audit"))
        await connection.execute(
            "INSERT INTO audit.consumed VALUES ('audit.all', 'ingest', 3, 7), ('audit.all', 'matcher', 3, 5);"
            "INSERT INTO audit.event_log VALUES (1, 1, gen_random_uuid(), gen_random_uuid(), 't', '', '')"
        )
        await connection.execute(after.replace("{service}", "audit"))
    finally:
        await connection.close()
    positions = await _asked(empty, "SELECT log, topic, bucket, sequence FROM audit.consumed ORDER BY log, topic")
    owned = sorted(topic.name for topic in TOPICS if topic.owner == "ingest")
    assert positions == [*(("ingest", topic, 3, 7) for topic in owned), ("matcher", "match.decided.v1", 3, 5)]
    assert await _asked(empty, "SELECT event_type, occurred_at = appended_at FROM audit.event_log") == [("t", True)]
