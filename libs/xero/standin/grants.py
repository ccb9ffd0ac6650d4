"""Consents, codes, tokens and connections, with Xero's lifetimes. No HTTP in here.

Source: developer.xero.com/documentation/guides/oauth2/auth-flow and .../guides/oauth2/token-types.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import sqlite3
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from libs.runtime.clock import Clock
from libs.xero.dates import milliseconds
from libs.xero.standin import exact_json
from libs.xero.standin.store import Store

CODE_SECONDS: Final = 300
"""Seconds a code can be exchanged, once."""

ACCESS_SECONDS: Final = 1_800
"""Seconds an access token is honoured."""

REFRESH_SECONDS: Final = 60 * 86_400
"""Seconds an unused refresh token is honoured; each refresh gives a new one with a new life."""

GRACE_SECONDS: Final = 1_800
"""Seconds in which a refresh token may be used again after its first use, for clients that lost the answer."""

ISSUER: Final = "https://identity.xero.com"
_SIGNING_KEY: Final = b"the stand-in signs for nobody"


class GrantRefused(Exception):
    """A code or a token that is not honoured; the message is OAuth's error code."""


@dataclass(frozen=True)
class Access:
    """What a valid access token may do: whose it is and which scopes it carries."""

    user_id: str
    scopes: frozenset[str]


class Grants:
    """What users granted to the one app the stand-in knows."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def consent(
        self, user_id: str, tenant_ids: Sequence[str], scopes: str, redirect_uri: str, challenge: str | None
    ) -> str:
        """A user connects organisations, commonly one; the code that says so.

        Scopes add up: what the user granted before is in the new tokens too, until it is revoked.
        """
        consent_id, code = str(uuid.uuid4()), secrets.token_urlsafe(24)
        now = self._now()
        with self._store.transaction():
            before = self._store.rows("SELECT scopes FROM consent WHERE user_id = ?", (user_id,))
            earlier = (scope for row in before for scope in row["scopes"].split())
            granted = dict.fromkeys([*scopes.split(), *earlier])
            self._store.write("INSERT INTO consent VALUES (?, ?, ?)", (consent_id, user_id, " ".join(granted)))
            for tenant_id in tenant_ids:
                self._store.write(
                    "INSERT INTO connection VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (user_id, tenant_id) "
                    "DO UPDATE SET consent_id = excluded.consent_id, updated_ms = excluded.updated_ms",
                    (str(uuid.uuid4()), user_id, tenant_id, consent_id, now, now),
                )
            expires = now + CODE_SECONDS * 1000
            row = (code, consent_id, redirect_uri, challenge, expires)
            self._store.write("INSERT INTO code VALUES (?, ?, ?, ?, ?)", row)
        return code

    def exchange(self, code: str, redirect_uri: str, verifier: str | None) -> dict[str, Any]:
        """Tokens for a code.

        Raises:
            GrantRefused: `invalid_grant`: unknown, used, older than five minutes, for another address, or with a
                verifier that does not fit. The code is spent all the same.
        """
        with self._store.transaction():
            row = self._store.row("SELECT * FROM code WHERE code = ?", (code,))
            self._store.write("DELETE FROM code WHERE code = ?", (code,))
        if row is None or row["expires_ms"] <= self._now() or row["redirect_uri"] != redirect_uri:
            raise GrantRefused("invalid_grant")
        if row["challenge"] is not None and row["challenge"] != s256(verifier or ""):
            raise GrantRefused("invalid_grant")
        return self._issue(row["consent_id"])

    def refresh(self, token: str) -> dict[str, Any]:
        """New tokens for a refresh token, which from then on is the previous one.

        Raises:
            GrantRefused: `invalid_grant`: unknown, expired, revoked, or first used more than the grace ago.
        """
        now = self._now()
        row = self._store.row("SELECT * FROM token WHERE token = ? AND kind = 'refresh'", (token,))
        if row is None or row["expires_ms"] <= now:
            raise GrantRefused("invalid_grant")
        if row["rotated_ms"] is not None and row["rotated_ms"] + GRACE_SECONDS * 1000 <= now:
            raise GrantRefused("invalid_grant")
        with self._store.transaction():
            self._store.write("UPDATE token SET rotated_ms = coalesce(rotated_ms, ?) WHERE token = ?", (now, token))
            return self._issue(row["consent_id"])

    def access(self, token: str) -> Access | None:
        """What this access token may do; None when it is not honoured."""
        row = self._store.row(
            "SELECT user_id, scopes FROM token JOIN consent USING (consent_id) "
            "WHERE token = ? AND kind = 'access' AND expires_ms > ?",
            (token, self._now()),
        )
        return None if row is None else Access(row["user_id"], frozenset(row["scopes"].split()))

    def revoke(self, token: str) -> None:
        """Give a refresh token back: all tokens and connections of its user end."""
        row = self._store.row(
            "SELECT user_id FROM token JOIN consent USING (consent_id) WHERE token = ? AND kind = 'refresh'", (token,)
        )
        if row is not None:
            self._end_user(row["user_id"])

    def revoke_organisation(self, tenant_id: str) -> None:
        """Everyone who connected this organisation loses all tokens and connections."""
        for row in self._store.rows("SELECT user_id FROM connection WHERE tenant_id = ?", (tenant_id,)):
            self._end_user(row["user_id"])

    def connections(self, user_id: str) -> list[sqlite3.Row]:
        """The connections of a user, oldest first, with the organisation's name."""
        return self._store.rows(
            "SELECT connection.*, organisation.name FROM connection JOIN organisation USING (tenant_id) "
            "WHERE user_id = ? ORDER BY created_ms, connection_id",
            (user_id,),
        )

    def disconnect(self, user_id: str, connection_id: str) -> bool:
        """End one connection; its user's tokens live on. False when there is none of that id."""
        ended = "DELETE FROM connection WHERE user_id = ? AND connection_id = ?"
        return self._store.write(ended, (user_id, connection_id)) == 1

    def may_read(self, user_id: str, tenant_id: str) -> bool:
        """Whether the user has a connection to this organisation."""
        asked = "SELECT 1 FROM connection WHERE user_id = ? AND tenant_id = ?"
        return self._store.row(asked, (user_id, tenant_id)) is not None

    def is_connected(self, tenant_id: str) -> bool:
        """Whether anybody has a connection to this organisation."""
        return self._store.row("SELECT 1 FROM connection WHERE tenant_id = ?", (tenant_id,)) is not None

    def _end_user(self, user_id: str) -> None:
        with self._store.transaction():
            for ended in (
                "DELETE FROM token WHERE consent_id IN (SELECT consent_id FROM consent WHERE user_id = ?)",
                "DELETE FROM code WHERE consent_id IN (SELECT consent_id FROM consent WHERE user_id = ?)",
                "DELETE FROM connection WHERE user_id = ?",
                "DELETE FROM consent WHERE user_id = ?",
            ):
                self._store.write(ended, (user_id,))

    def _issue(self, consent_id: str) -> dict[str, Any]:
        consent = self._store.row("SELECT * FROM consent WHERE consent_id = ?", (consent_id,))
        if consent is None:
            raise GrantRefused("invalid_grant")
        scopes = consent["scopes"].split()
        access = access_token(consent["user_id"], consent_id, scopes, self._clock.now())
        self._keep(access, consent_id, "access", ACCESS_SECONDS)
        answer: dict[str, Any] = {
            "access_token": access,
            "expires_in": ACCESS_SECONDS,
            "token_type": "Bearer",
            "scope": " ".join(scopes),
        }
        if "offline_access" in scopes:
            answer["refresh_token"] = secrets.token_urlsafe(32)
            self._keep(answer["refresh_token"], consent_id, "refresh", REFRESH_SECONDS)
        return answer

    def _keep(self, token: str, consent_id: str, kind: str, seconds: int) -> None:
        row = (token, consent_id, kind, self._now() + seconds * 1000)
        self._store.write("INSERT INTO token VALUES (?, ?, ?, ?, NULL)", row)

    def _now(self) -> int:
        return milliseconds(self._clock.now())


def s256(verifier: str) -> str:
    """PKCE's challenge for a verifier (RFC 7636, section 4.6)."""
    return _base64url(hashlib.sha256(verifier.encode()).digest())


def access_token(user_id: str, consent_id: str, scopes: list[str], now: datetime) -> str:
    """A JWT with the claims Xero puts into its access tokens, signed by nobody in particular."""
    issued = milliseconds(now) // 1000
    claims = {
        "iss": ISSUER,
        "aud": f"{ISSUER}/resources",
        "nbf": issued,
        "exp": issued + ACCESS_SECONDS,
        "sub": user_id,
        "xero_userid": user_id,
        "authentication_event_id": consent_id,
        "jti": secrets.token_hex(16),
        "scope": scopes,
    }
    head = _base64url(exact_json.dumps({"alg": "HS256", "typ": "JWT"}))
    signed = f"{head}.{_base64url(exact_json.dumps(claims))}"
    return f"{signed}.{_base64url(hmac.digest(_SIGNING_KEY, signed.encode(), 'sha256'))}"


def _base64url(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()
