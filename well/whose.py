"""Whose records a command is about: those of the workspace that was named, or of this machine's one customer."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from libs.contracts.errors import Rejected
from libs.crypto.bearer import INSTALLATION

if TYPE_CHECKING:
    from well.home import Installation
    from well.storage import Storage


def named(workspace: UUID | None, own: UUID | None) -> UUID:
    """The workspace that a command is about.

    Raises:
        Rejected: `workspace_missing` when none is named and none is meant.
    """
    whose = workspace or own
    if whose is None:
        raise Rejected("Say which workspace, with --workspace.", code="workspace_missing")
    return whose


async def known(workspace: UUID | None, installation: Installation, storage: Storage) -> UUID:
    """The workspace that a command looks at or answers for: of one that is misspelt it would find nothing to tell.

    Raises:
        Rejected: `no_such_workspace` when the one that is named has no keys here and never had; `workspace_missing`.
        Transient: Postgres does not answer.
    """
    from services.auth.adapters.postgres_keys import PostgresKeyStore

    if workspace is None:
        return named(None, await own_workspace(installation, storage))
    store = PostgresKeyStore()
    async with storage.databases["auth"].transaction(workspace) as tx:
        if not (await store.keys(tx) or await store.is_erased(tx)):
            raise Rejected("There is no such workspace here.", code="no_such_workspace")
    return workspace


async def to_connect(workspace: UUID | None, installation: Installation, storage: Storage) -> UUID:
    """The workspace that a consent is for. Who connects again after this machine's was erased begins anew.

    Raises:
        Rejected: `workspace_missing`.
        Transient: Postgres does not answer.
    """
    from services.auth.adapters.postgres_keys import PostgresKeyStore

    if workspace is not None:
        return workspace
    own = named(None, await own_workspace(installation, storage))
    async with storage.databases["auth"].transaction(own) as tx:
        erased = await PostgresKeyStore().is_erased(tx)
    return installation.new_workspace() if erased else own


async def own_workspace(installation: Installation, storage: Storage) -> UUID | None:
    """The workspace of this machine's one customer; None when nothing is remembered and Postgres has several.

    A backup may have brought Postgres back without what is remembered beside it. A new workspace beside the one in
    there would read the same books, and post them a second time.

    Raises:
        Transient: Postgres does not answer.
    """
    from services.auth.adapters.postgres import PostgresAuthStore
    from services.auth.adapters.postgres_keys import PostgresKeyStore

    if "workspace" not in installation.state():
        async with storage.databases["auth"].transaction(INSTALLATION) as tx:
            connected = await PostgresAuthStore(storage.sealers.tokens).connected_workspaces(tx)
            standing = set(connected) & set(await PostgresKeyStore().known_workspaces(tx))
        if len(standing) > 1:
            return None
        for workspace in standing:
            installation.remember(workspace=str(workspace))
    return installation.workspace()
