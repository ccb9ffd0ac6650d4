"""What holds a key or a token does not show it: not in a repr, not in the repr of what holds it, not in an error."""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest

from libs.auth_client import wire
from libs.contracts.consented import Consented
from libs.contracts.errors import Malformed
from libs.crypto.bearer import Bearer
from libs.crypto.key_provider import FileKeyProvider, KeyPlace, MemoryKeyProvider
from libs.crypto.keyring import Sealer
from libs.crypto.lent import LentToken
from libs.crypto.seal import DataKey, WorkspaceKeys, WorkspaceSeal
from libs.runtime.clock import SystemClock
from services.auth.adapters.authorization_server import RegisteredApp
from services.auth.domain.connection import Account, TokenPair
from services.auth.domain.consent import PendingChoice, PendingConsent
from services.auth.domain.ticket import Ticket
from services.auth.domain.wrapped_key import WrappedKey
from services.auth.flow.connect import Returned, ToChoose
from services.auth.flow.mcp_consent import McpRequest
from services.ingest.adapters.mcp_grant import Grant
from services.ingest.adapters.mcp_returns import Brought
from services.ingest.domain.registration import RegisteredByHand
from services.xero_mcp.domain.registration import Client
from services.xero_mcp.domain.token import Token
from services.xero_mcp.flow.tokens import Held, Issued
from tests.support.keys import MemoryKeyring

SECRET = b"0123456789abcdef0123456789ABCDEF"


async def test_no_repr_shows_a_key_or_a_token(tmp_path: Path) -> None:
    now, key = datetime.now(UTC), DataKey(uuid4(), SECRET)
    keys = WorkspaceKeys(uuid4(), key, {key.id: key}, SECRET)
    (tmp_path / "key").touch(0o600)
    (tmp_path / "key").write_bytes(SECRET)
    holders = [
        key,
        keys,
        WorkspaceSeal(keys),
        Sealer(MemoryKeyring(), "tokens", SystemClock()),
        MemoryKeyProvider(SECRET),
        FileKeyProvider(tmp_path / "key"),
        WrappedKey(uuid4(), "tokens", 1, SECRET, now, now),
        Bearer(uuid4(), SECRET.decode()),
        LentToken(SECRET.decode(), "an account", now),
        wire.keys_told(keys),
        wire.opening_keys_told(keys),
        wire.RefusedToken(workspace=uuid4(), secret=SECRET.decode()),
        wire.Lent(secret=SECRET.decode(), account="an account", expires_at=now),
        wire.Address(url=f"https://auth.example/consents/mcp?request={SECRET.decode()}"),
        wire.Grant(grant=SECRET.decode(), return_to=f"https://mcp.example/consented?request={SECRET.decode()}"),
        wire.Visit(session=SECRET.decode()),
        *_of_consents(SECRET.decode(), now),
    ]
    for holder in holders:
        shown = f"{holder!r} {holder} {[holder]}"
        for form in (SECRET.decode(), SECRET.hex(), base64.b64encode(SECRET).decode()):
            assert form not in shown, type(holder)


def _of_consents(secret: str, now: datetime) -> list[object]:
    """What auth, xero_mcp and ingest have in hand while somebody consents, and afterwards."""
    pair, pending = TokenPair(secret, secret, now, ()), PendingConsent("xero", secret, (), None)
    account, address = Account("id", "name"), f"https://mcp.example/consented?request={secret}"
    consented = Consented(uuid4(), uuid4())
    return [
        pair,
        pending,
        Returned(pending, uuid4()),
        PendingChoice(uuid4(), pending, pair, (account,)),
        ToChoose(secret, (account,)),
        Ticket("session", b"hash", secret.encode(), now),
        RegisteredApp("id", secret, "https://auth.example/callback", {"X-Qonto-Staging-Token": secret}),
        McpRequest("a program", "app.example", (), address),
        Client("id", "name", (), secret=secret),
        Token("code", SECRET, uuid4(), "client", secret.encode(), now, parent=SECRET),
        Held(consented, "client", {"state": secret}, now),
        Issued(secret, secret, ()),
        Brought(code=secret, iss=None),
        Grant.model_validate(
            {
                **dict.fromkeys(("issuer", "token_endpoint", "resource"), "https://mcp.example"),
                "registration": {"client_secret": secret},
                "access_token": secret,
                "refresh_token": secret,
                "expires_at": now,
            }
        ),
        RegisteredByHand("https://mcp.example", "id", secret),
    ]


async def test_an_error_about_a_key_does_not_hold_it() -> None:
    place = KeyPlace(uuid4(), "tokens", uuid4())
    wrapped = await MemoryKeyProvider(SECRET).wrap(place, SECRET)
    with pytest.raises(Malformed) as refused:
        await MemoryKeyProvider().unwrap(place, wrapped)
    said = f"{refused.value!r} {refused.value} {refused.value.__cause__!r}"
    assert wrapped.hex() not in said
    assert SECRET.decode() not in said
