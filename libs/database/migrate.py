"""Brings a server to the newest schemas: roles first, then each service's migrations, under one lock."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Final

import sqlalchemy
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection

from libs.contracts.errors import Transient
from libs.database.roles import RELAY, role_of
from libs.database.schemas import MIGRATIONS, SERVICES, fingerprint
from libs.database.script import read_script, run_script

_LOCK: Final = 0x57454C4C
"""The advisory lock of migrations: "WELL". Two processes that start together migrate one after the other."""


async def migrate(
    dsn: str, *, services: tuple[str, ...] = SERVICES, passwords: Mapping[str, str] | None = None
) -> None:
    """Make roles and schemas, or bring them up to date; a server that is up to date is left as it is.

    Args:
        dsn: The address with a user that may create roles and schemas.
        services: Whose schemas to make.
        passwords: Of the services' roles, by service, and of `RELAY` under `relay`. A role that is not named keeps what
            it has, which is none at first: the server must then know those who log in by other means.

    Raises:
        Transient: The server could not be reached.
    """
    await asyncio.to_thread(_migrate, dsn, services, passwords or {})


def _migrate(dsn: str, services: tuple[str, ...], passwords: Mapping[str, str]) -> None:
    engine = sqlalchemy.create_engine(_for_psycopg(dsn), poolclass=sqlalchemy.NullPool)
    try:
        with engine.connect() as connection:
            connection.exec_driver_sql(f"SELECT pg_advisory_lock({_LOCK})")
            connection.commit()
            _make_roles(connection, services, passwords)
            run_script(connection, read_script(MIGRATIONS / "bootstrap.sql"))
            for service in services:
                _upgrade(connection, service)
            _remember(connection, services)
    except sqlalchemy.exc.OperationalError as error:
        raise Transient("Postgres does not answer, or refuses the user of its address.") from error
    finally:
        engine.dispose()


def _make_roles(connection: Connection, services: tuple[str, ...], passwords: Mapping[str, str]) -> None:
    rows = connection.exec_driver_sql(
        "SELECT rolname, rolcanlogin AND NOT (rolsuper OR rolbypassrls OR rolcreatedb OR rolcreaterole) FROM pg_roles"
    )
    known = {row[0]: row[1] for row in rows}
    for service in ("relay", *services):
        role = role_of(service)
        # Only a superuser may even name these of a role that stands, so a role that is as it should be is left alone.
        wanted = "" if known.get(role) else " LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE"
        if service in passwords:
            wanted += f" PASSWORD '{passwords[service]}'"
        if wanted:
            connection.exec_driver_sql(f"{'ALTER' if role in known else 'CREATE'} ROLE {role}{wanted}")
    for service in services:
        connection.exec_driver_sql(f"CREATE SCHEMA IF NOT EXISTS {service}")
        connection.exec_driver_sql(f"GRANT USAGE ON SCHEMA {service} TO {role_of(service)}")
        connection.exec_driver_sql(f"GRANT {RELAY} TO {role_of(service)} WITH INHERIT FALSE, SET TRUE")
    connection.commit()


def _upgrade(connection: Connection, service: str, revision: str = "head") -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.set_main_option("version_locations", str(MIGRATIONS / service))
    config.set_main_option("path_separator", "newline")
    config.set_main_option("service", service)
    config.attributes["connection"] = connection
    command.upgrade(config, revision)
    connection.commit()


def _remember(connection: Connection, services: tuple[str, ...]) -> None:
    connection.exec_driver_sql("DELETE FROM well.migrated")
    if services == SERVICES:
        connection.exec_driver_sql("INSERT INTO well.migrated VALUES (%s)", (fingerprint(),))
    connection.commit()


def _for_psycopg(dsn: str) -> str:
    return dsn.replace("postgresql://", "postgresql+psycopg://", 1).replace("postgres://", "postgresql+psycopg://", 1)
