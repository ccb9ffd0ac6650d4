"""Roles: names and passwords follow from the service, and no role can reach around row-level security."""

from __future__ import annotations

import re

import asyncpg
import pytest

from libs.crypto.service_secret import service_secret
from libs.database.postgres import open_pool
from libs.database.roles import RELAY, password_from, role_of, role_password
from libs.database.schemas import SERVICES
from tests.support.postgres import PostgresFixture


def test_every_service_has_a_role_of_its_own() -> None:
    roles = {RELAY, *map(role_of, SERVICES)}
    assert len(roles) == len(SERVICES) + 1
    assert all(re.fullmatch("well_[a-z_]+", role) for role in roles)


def test_a_password_follows_from_secret_and_role_and_needs_no_quoting() -> None:
    passwords = [role_password(secret, role) for secret in (b"1", b"2") for role in ("well_auth", "well_pusher")]
    assert len(set(passwords)) == 4
    assert role_password(b"1", "well_auth") == passwords[0]
    assert all(re.fullmatch("[0-9a-f]{64}", password) for password in passwords)
    assert password_from(b"1", "auth") == role_password(service_secret(b"1", "auth"), "well_auth")


async def test_a_service_carries_logs_on_connections_of_their_own_and_on_no_other(postgres: PostgresFixture) -> None:
    carrying = await open_pool(postgres.dsn, role=role_of("matcher"), acting_as=RELAY, connections=1)
    assert await carrying.fetchval("SELECT count(*) FROM pusher.event_log") == 0
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await carrying.execute("INSERT INTO matcher.consumed VALUES ('matcher.decide', 'auth', 0, 1)")
    await carrying.close()


async def test_no_role_owns_anything_or_can_bypass_row_level_security(postgres: PostgresFixture) -> None:
    admin = await postgres.admin()
    roles = [RELAY, *map(role_of, SERVICES)]
    able = await admin.fetch(
        "SELECT rolname FROM pg_roles WHERE rolname = ANY($1) AND "
        "(rolsuper OR rolbypassrls OR rolcreatedb OR rolcreaterole OR rolreplication)",
        roles,
    )
    owned = await admin.fetch("SELECT relname FROM pg_class WHERE pg_get_userbyid(relowner) = ANY($1)", roles)
    assert (able, owned) == ([], [])


async def test_every_table_with_a_workspace_is_closed_for_its_owner_too(postgres: PostgresFixture) -> None:
    admin = await postgres.admin()
    open_tables = await admin.fetch(
        "SELECT format('%s.%s', nspname, relname) FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace "
        "JOIN pg_attribute ON attrelid = pg_class.oid AND attname = 'workspace' "
        "WHERE relkind IN ('r', 'p') AND nspname = ANY($1) AND NOT (relrowsecurity AND relforcerowsecurity)",
        list(SERVICES),
    )
    assert open_tables == []


async def test_a_service_cannot_read_the_tables_of_another(postgres: PostgresFixture) -> None:
    database = await postgres.database("matcher")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with database.transaction(postgres.workspace) as tx:
            await tx.connection.fetch("SELECT * FROM pusher.event_log")


async def test_a_service_cannot_change_or_delete_an_event(postgres: PostgresFixture) -> None:
    database = await postgres.database("matcher")
    for statement in ("DELETE FROM matcher.event_log", "UPDATE matcher.event_log SET topic = 'x'"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with database.transaction(postgres.workspace) as tx:
                await tx.connection.execute(statement)
