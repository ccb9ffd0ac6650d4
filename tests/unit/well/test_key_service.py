"""Where keys are wrapped: files, unless the environment names a Vault, and all of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from libs.contracts.errors import Rejected
from libs.crypto.key_provider import FileKeyProvider
from libs.crypto.vault import VaultAt, VaultKeyProvider
from well.apart import apart_from
from well.key_service import key_provider, vault_from

TOLD = {"WELL_VAULT_URL": "https://vault:8200", "WELL_VAULT_KEY": "well", "WELL_VAULT_TOKEN_FILE": "/run/token"}


def test_without_a_word_of_vault_keys_are_wrapped_by_files(tmp_path: Path) -> None:
    assert vault_from({}) is None
    assert isinstance(key_provider(tmp_path / "key", None), FileKeyProvider)


def test_with_all_three_variables_they_are_wrapped_by_vault(tmp_path: Path) -> None:
    vault = vault_from(TOLD)
    assert vault == VaultAt("https://vault:8200", "well", Path("/run/token"))
    assert vault_from({**TOLD, "WELL_VAULT_MOUNT": "keys"}) == VaultAt(
        "https://vault:8200", "well", Path("/run/token"), "keys"
    )
    assert isinstance(key_provider(tmp_path / "key", vault), VaultKeyProvider)


@pytest.mark.parametrize("missing", list(TOLD))
def test_part_of_them_is_refused_and_what_is_missing_is_named(missing: str) -> None:
    with pytest.raises(Rejected, match=missing) as refused:
        vault_from({name: value for name, value in TOLD.items() if name != missing})
    assert refused.value.code == "settings_missing"
    assert not [name for name in TOLD if name != missing and name in refused.value.sentence]


def test_auth_alone_is_told_of_vault_where_services_run_apart() -> None:
    auth = apart_from("auth", {"WELL_DATABASE_URL": "postgresql://h/w", "WELL_KEY_FILE": "k", **_ACCOUNTS, **TOLD})
    assert auth.vault == vault_from(TOLD)
    names = ("WELL_SERVICE_SECRET_FILE", "WELL_AUTH_URL")
    matcher = {"WELL_DATABASE_URL": "postgresql://h/w", **dict.fromkeys(names, "x"), **_ACCOUNTS, **TOLD}
    assert apart_from("matcher", matcher).vault is None


_ACCOUNTS = dict.fromkeys(("XERO_CLIENT_ID", "XERO_CLIENT_SECRET", "QONTO_CLIENT_ID", "QONTO_CLIENT_SECRET"), "x")
