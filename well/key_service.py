"""What wraps the keys of workspaces: files beside each other, or Vault."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

from libs.contracts.errors import Rejected
from libs.crypto.key_provider import FileKeyProvider, KeyProvider

if TYPE_CHECKING:
    from libs.crypto.vault import VaultAt

_NEEDED: Final = {
    "WELL_VAULT_URL": "Vault's address",
    "WELL_VAULT_KEY": "the name of a derived key in its transit engine",
    "WELL_VAULT_TOKEN_FILE": "the file that holds the token, as Vault's agent writes it",
}


def vault_from(environment: Mapping[str, str]) -> VaultAt | None:
    """The Vault that the environment names; None when it names none.

    Raises:
        Rejected: `settings_missing` when it says only part of what is needed.
    """
    missing = [f"  {name}: {said}" for name, said in _NEEDED.items() if not environment.get(name)]
    if len(missing) == len(_NEEDED):
        return None
    if missing:
        raise Rejected("\n".join(["For Vault these are missing too:", *missing]), code="settings_missing")
    from libs.crypto.vault import VaultAt  # its client takes a tenth of a second, and few have a Vault

    url, key, token_file = (environment[name] for name in _NEEDED)
    return VaultAt(url, key, Path(token_file), environment.get("WELL_VAULT_MOUNT") or "transit")


def key_provider(key_file: Path, vault: VaultAt | None) -> KeyProvider:
    """What wraps, and opens what was wrapped before.

    Raises:
        Rejected: `key_file` when the file is not as it should be.
    """
    files = FileKeyProvider(key_file)
    if vault is None:
        return files
    from libs.crypto.vault import VaultKeyProvider

    return VaultKeyProvider(vault, files)
