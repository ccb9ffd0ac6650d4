"""No table of ours is open: what the catalogue says of row-level security, and who may not work at all."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Final
from uuid import uuid4

import asyncpg
import pytest

from libs.contracts.errors import Rejected
from libs.database.postgres import open_database, open_pool
from libs.database.roles import RELAY, role_of
from libs.database.schemas import SERVICES
from libs.runtime.clock import SystemClock
from tests.support.keys import MemoryKeyring
from tests.support.postgres import PostgresFixture
from well.storage import opened_for

SCHEMAS: Final = ("well", *SERVICES)
"""Every schema of ours."""

OPEN: Final[Mapping[str, str]] = {
    "schema_version": "which migrations were run: one row, Alembic's own",
    "migrated": "the digest of all migrations: one row that everybody may read",
    "event_head": "64 counters of a log; they are of no workspace",
    "consumed": "how far a group has come in 64 buckets; they are of no workspace",
    "relayed": "how far a log was published, by bucket; it is of no workspace",
    "kafka_offset": "how far a group has come in a partition; it is of no workspace",
    "replay": "what a relay shall send again, by topic and bucket; it is of no workspace",
}
"""Tables without row-level security, by their names in any schema, and why none of their rows is a customer's."""

WHOLE: Final[Mapping[str, str]] = {
    "read_by_jobs": "auth must know whom to work for: the one table of ids",
    "carried": "the role that carries logs reads every row, sealed as it is",
    "seen_by_jobs": "the role that carries logs sees whose rows are due, by columns granted one by one",
}
"""Policies that are not bound to the workspace of the transaction, and why. All of them let read alone."""

BOUND: Final = "(workspace = (NULLIF(current_setting('app.workspace'::text, true), ''::text))::uuid)"

_RELATIONS: Final = """
SELECT n.nspname AS schema, c.relname AS name, c.relkind::text AS kind, c.relrowsecurity AS closed,
       c.relforcerowsecurity AS forced,
       EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'workspace' AND NOT a.attisdropped)
           AS of_workspaces
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.nspname = ANY($1::text[])
"""

_POLICIES: Final = "SELECT * FROM pg_policies WHERE schemaname = ANY($1::text[])"

_READ_BY_RELAY: Final = """
SELECT table_schema || '.' || table_name AS name, column_name, data_type
FROM information_schema.column_privileges JOIN information_schema.columns USING (table_schema, table_name, column_name)
WHERE grantee = $1 AND privilege_type = 'SELECT' AND table_name = ANY($2::text[])
"""


async def test_every_table_is_closed_by_workspace_for_its_owner_too_or_is_named_with_its_reason(
    postgres: PostgresFixture,
) -> None:
    relations = await (await postgres.admin()).fetch(_RELATIONS, list(SCHEMAS))
    assert {row["kind"] for row in relations} == {"r"}  # a view or a foreign table would need a rule of its own
    assert {row["schema"] for row in relations} == set(SCHEMAS)
    closed = {(row["schema"], row["name"]) for row in relations if row["closed"] and row["forced"]}
    left_open = [row for row in relations if (row["schema"], row["name"]) not in closed]
    assert [f"{row['schema']}.{row['name']}" for row in left_open if row["name"] not in OPEN] == []
    assert [f"{row['schema']}.{row['name']}" for row in left_open if row["of_workspaces"]] == []
    assert {row["name"] for row in left_open} >= set(OPEN) - {"replay"}


async def test_every_closed_table_has_a_policy_bound_to_the_workspace_and_any_other_is_named(
    postgres: PostgresFixture,
) -> None:
    admin = await postgres.admin()
    closed = {
        (row["schema"], row["name"]): role_of(row["schema"])
        for row in await admin.fetch(_RELATIONS, list(SCHEMAS))
        if row["closed"]
    }
    policies = await admin.fetch(_POLICIES, list(SCHEMAS))
    bound = {
        (row["schemaname"], row["tablename"]): row["roles"][0]
        for row in policies
        if (row["qual"], row["with_check"], row["cmd"], len(row["roles"])) == (BOUND, BOUND, "ALL", 1)
    }
    assert bound == closed
    others = [row for row in policies if row["qual"] != BOUND]
    assert {row["policyname"] for row in others} == set(WHOLE)
    assert {row["cmd"] for row in others} == {"SELECT"}
    assert {role for row in others for role in row["roles"]} == {RELAY, role_of("auth")}


async def test_the_role_that_sees_when_jobs_are_due_sees_no_content(postgres: PostgresFixture) -> None:
    admin = await postgres.admin()
    policies = await admin.fetch(_POLICIES, list(SCHEMAS))
    tables = [row["tablename"] for row in policies if row["policyname"] == "seen_by_jobs"]
    seen = await admin.fetch(_READ_BY_RELAY, RELAY, tables)
    assert {row["name"].split(".")[1] for row in seen} == set(tables)
    assert {row["column_name"] for row in seen} <= {"workspace", "provider", "state", "due_at", "is_due"}


async def test_nothing_of_ours_runs_with_its_owners_rights_or_is_granted_to_everybody(
    postgres: PostgresFixture,
) -> None:
    admin = await postgres.admin()
    lends = """
    SELECT p.oid::regprocedure::text FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
    WHERE p.prosecdef AND n.nspname = ANY($1::text[])"""
    assert await admin.fetch(lends, list(SCHEMAS)) == []
    to_all = """
    SELECT table_name FROM information_schema.role_table_grants
    WHERE grantee = 'PUBLIC' AND table_schema = ANY($1::text[])"""
    assert [row["table_name"] for row in await admin.fetch(to_all, list(SCHEMAS))] == ["migrated"]


async def test_the_roles_of_services_own_nothing_and_each_may_become_the_relay_alone(
    postgres: PostgresFixture,
) -> None:
    for service in SERVICES:
        await (await open_database(postgres.dsn, role=role_of(service))).close()
        await (await open_pool(postgres.dsn, role=role_of(service), connections=1, acting_as=RELAY)).close()
    admin = await postgres.admin()
    roles = [RELAY, *map(role_of, SERVICES)]
    owned = "SELECT count(*) FROM pg_class WHERE relowner IN (SELECT oid FROM pg_roles WHERE rolname = ANY($1::text[]))"
    assert await admin.fetchval(owned, roles) == 0


@pytest.fixture
async def stranger(postgres: PostgresFixture) -> AsyncIterator[str]:
    """A role of this test's own, which is dropped after it."""
    role, admin = f"well_stranger_{uuid4().hex}", await postgres.admin()
    await admin.execute(f"CREATE ROLE {role} LOGIN")
    yield role
    await admin.execute(f"DROP OWNED BY {role}; DROP ROLE {role}")


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ("ALTER ROLE {role} SUPERUSER", "is a superuser"),
        ("ALTER ROLE {role} BYPASSRLS", "has BYPASSRLS"),
        (
            "GRANT CREATE, USAGE ON SCHEMA matcher TO {role}; ALTER TABLE matcher.claim OWNER TO {role}",
            "owns matcher.claim",
        ),
        ("GRANT postgres TO {role}", "can become postgres, which is a superuser"),
        ("GRANT postgres TO {role} WITH INHERIT FALSE, SET TRUE", "can become postgres, which is a superuser"),
    ],
    ids=["superuser", "bypass", "owner", "member", "may-set"],
)
async def test_nothing_starts_as_a_role_that_row_security_does_not_bind(
    postgres: PostgresFixture, stranger: str, given: str, sentence: str
) -> None:
    admin = await postgres.admin()
    await (await open_pool(postgres.dsn, role=stranger, connections=1)).close()
    await admin.execute(given.format(role=stranger))
    with pytest.raises(Rejected) as refused:
        await open_database(postgres.dsn, role=stranger)
    assert refused.value.code == "role_not_bound"
    assert f"role {stranger} {sentence}" in refused.value.sentence
    await admin.execute("ALTER TABLE matcher.claim OWNER TO CURRENT_USER")


@pytest.mark.parametrize("service", SERVICES)
async def test_the_process_of_no_service_starts_with_a_role_that_may_bypass(
    postgres: PostgresFixture, service: str
) -> None:
    admin = await postgres.admin()
    opening = {"database_url": postgres.dsn, "secret": b"s" * 32, "keyring": MemoryKeyring()}
    await admin.execute(f"ALTER ROLE {role_of(service)} BYPASSRLS")
    try:
        with pytest.raises(Rejected, match="has BYPASSRLS: row-level security would not keep it"):
            async with opened_for(service, SystemClock(), **opening):
                raise AssertionError("it was opened")
    finally:
        await admin.execute(f"ALTER ROLE {role_of(service)} NOBYPASSRLS")
    async with opened_for(service, SystemClock(), **opening):
        pass


async def test_the_setting_is_empty_on_a_used_connection_and_opens_nothing(postgres: PostgresFixture) -> None:
    database = await postgres.database("auth")
    async with database.transaction(uuid4()):
        pass
    pool = await asyncpg.create_pool(postgres.dsn, user=role_of("auth"), min_size=1, max_size=1)
    try:
        for setting in ("", None):
            if setting is not None:
                await pool.execute("SELECT set_config('app.workspace', $1, false)", setting)
            assert await pool.fetchval("SELECT count(*) FROM auth.workspace_key") == 0
    finally:
        await pool.close()
