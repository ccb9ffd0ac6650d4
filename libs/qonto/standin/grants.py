"""Clients, codes and tokens as rows: what was granted to whom, for which organization, and until when."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit
from uuid import uuid4

import orjson

from libs.qonto.standin.answers import Refusal
from libs.qonto.standin.store import Row
from libs.qonto.standin.world import World

SECOND: Final = 1_000_000
"""Microseconds."""

ACCESS_SECONDS: Final = 3600
"""Seconds an access token lives. Source: docs.qonto.com, "OAuth 2.0", token lifetimes: 1 hour."""

REFRESH_SECONDS: Final = 90 * 86_400
"""Seconds a refresh token lives; the same source: 90 days."""

GRACE_SECONDS: Final = 60
"""Seconds a refresh token still works after its first use; the same source."""

_LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})


@dataclass(frozen=True)
class Tokens:
    """What the token endpoint hands out; `refresh` only when `offline_access` was granted."""

    access: str
    refresh: str | None
    scope: str


def add_client(world: World, client_id: str, secret: str, redirect_uris: list[str], *, any_loopback_port: bool) -> None:
    """Register a client, or change it."""
    world.store.run(
        "insert or replace into clients values (?, ?, ?, ?)",
        client_id,
        secret,
        orjson.dumps(redirect_uris).decode(),
        int(any_loopback_port),
    )


def redirect_allowed(client: Row, redirect_uri: str) -> bool:
    """Whether a redirect equals a registered one; the demo's client may name any address of the machine itself."""
    if redirect_uri in orjson.loads(client["redirect_uris"]):
        return True
    target = urlsplit(redirect_uri)
    return bool(client["any_loopback_port"]) and target.scheme == "http" and target.hostname in _LOOPBACK


def grant(world: World, client_id: str, organization_id: str, scope: str) -> str:
    """Grant scopes of an organization to a client; answers with the grant's id."""
    grant_id = uuid4().hex
    world.store.run(
        "insert into grants (id, client_id, organization_id, scope) values (?, ?, ?, ?)",
        grant_id,
        client_id,
        organization_id,
        scope,
    )
    return grant_id


def issue(world: World, grant_id: str, scope: str) -> Tokens:
    """New tokens of a grant; what has expired is forgotten on the way."""
    world.store.run("delete from tokens where expires_at <= ?", world.micros())
    access = _new_token(world, grant_id, "access", "ory_at_", ACCESS_SECONDS)
    offline = "offline_access" in scope.split()
    refresh = _new_token(world, grant_id, "refresh", "ory_rt_", REFRESH_SECONDS) if offline else None
    return Tokens(access, refresh, scope)


def rotate(world: World, client_id: str, refresh: str) -> Tokens | None:
    """New tokens for a refresh token, or None when it is no longer one: unknown, late, revoked, or past its grace."""
    row = world.store.row(
        "select * from tokens join grants on grants.id = grant_id where token = ? and kind = 'refresh'", refresh
    )
    now = world.micros()
    if row is None or row["revoked"] or row["client_id"] != client_id or now >= row["expires_at"]:
        return None
    if row["first_used_at"] is None:
        world.store.run("update tokens set first_used_at = ? where token = ?", now, refresh)
    elif now > row["first_used_at"] + GRACE_SECONDS * SECOND:
        return None
    return issue(world, row["grant_id"], row["scope"])


def revoke_token(world: World, client_id: str, token: str) -> None:
    """End the grant a token belongs to; a token nobody knows is no error. Source: RFC 7009, 2.2."""
    world.store.run(
        "update grants set revoked = 1 where client_id = ? and id in (select grant_id from tokens where token = ?)",
        client_id,
        token,
    )


def revoke_organization(world: World, organization_id: str) -> int:
    """End every grant of an organization; answers with how many there were."""
    return world.store.run("update grants set revoked = 1 where organization_id = ? and not revoked", organization_id)


def access_row(world: World, authorization: str) -> Row:
    """The grant behind an `Authorization` header.

    Raises:
        Refusal: 401, whatever is wrong with the token.
    """
    kind, _, token = authorization.partition(" ")
    row = world.store.row(
        "select * from tokens join grants on grants.id = grant_id where token = ? and kind = 'access'",
        token,
    )
    if kind != "Bearer" or row is None or row["revoked"] or world.micros() >= row["expires_at"]:
        raise Refusal(401, "unauthorized", "The access token is missing, expired or revoked.")
    return row


def organization_of(world: World, authorization: str, *scopes: str) -> str:
    """The organization a token is bound to, when it holds one of the scopes.

    Raises:
        Refusal: 401, or 403 `forbidden` with the words seen live by qontoctl.
    """
    row = access_row(world, authorization)
    if not set(scopes) & set(str(row["scope"]).split()):
        raise Refusal(403, "forbidden", "missing required oauth scope")
    return str(row["organization_id"])


def _new_token(world: World, grant_id: str, kind: str, prefix: str, seconds: int) -> str:
    token = prefix + secrets.token_urlsafe(32)
    expires_at = world.micros() + seconds * SECOND
    world.store.run("insert into tokens values (?, ?, ?, ?, null)", token, grant_id, kind, expires_at)
    return token
