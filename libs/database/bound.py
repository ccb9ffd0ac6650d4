"""Refuses to work as a role that row-level security does not bind: a superuser, one with BYPASSRLS, an owner."""

from __future__ import annotations

from typing import Final

import asyncpg

from libs.contracts.errors import Rejected

_POWERS: Final = """
WITH acting AS (
    SELECT role.rolname, role.oid, role.rolsuper, role.rolbypassrls FROM pg_roles AS role
    WHERE pg_has_role(session_user, role.oid, 'SET') OR role.rolname IN (session_user, current_user)
)
SELECT session_user AS login,
    (SELECT rolname FROM acting WHERE rolsuper ORDER BY rolname <> session_user LIMIT 1) AS superuser,
    (SELECT rolname FROM acting WHERE rolbypassrls ORDER BY rolname <> session_user LIMIT 1) AS bypasses,
    (SELECT owned.oid::regclass::text FROM pg_class AS owned JOIN acting ON acting.oid = owned.relowner
     WHERE owned.relkind IN ('r', 'p') AND owned.relpersistence <> 't' LIMIT 1) AS owned
"""
"""What the login is, and what it could become with SET ROLE. Source: postgresql.org/docs/current/ddl-rowsecurity.html:
superusers and roles with BYPASSRLS always bypass row security, owners may switch it off."""


async def refuse_unbound(connection: asyncpg.Connection) -> None:
    """Let a connection pass whose login row-level security binds, whatever it does; it owns no table, ours or another.

    Raises:
        Rejected: `role_not_bound`, naming the role, what is wrong with it, and what to do.
    """
    found = await connection.fetchrow(_POWERS)
    login = found["login"]
    if found["superuser"]:
        fault = _as(login, found["superuser"], "is a superuser")
    elif found["bypasses"]:
        fault = _as(login, found["bypasses"], "has BYPASSRLS")
    elif found["owned"]:
        fault = f"owns {found['owned']}, or can become its owner"
    else:
        return
    raise Rejected(
        f"Postgres' role {login} {fault}: row-level security would not keep it from other workspaces' rows. Nothing "
        "was started. Let services log in with the roles that `well migrate` makes, and give those no such right.",
        code="role_not_bound",
    )


def _as(login: str, role: str, what: str) -> str:
    return what if login == role else f"can become {role}, which {what}"
