"""The right of another team to open the events of one workspace.

1. Somebody who runs the installation grants it, for one workspace and one reader, and hands the grant over.
2. The reader shows the grant to auth and gets the keys of payloads, which open events and neither tokens nor files. The
   index secret stays here, so that it can read what it is given and cannot guess what record a blinded name stands for.
3. The grant ends by itself, or is taken back. Keys that were shown are known for good: what is sealed after the
   workspace's next key is closed to that reader, and what it could read before is not.

Notes:
    The keys are those that seal, too. That a reader writes nothing is up to the brokers' access lists.
"""

from __future__ import annotations

from typing import Final
from uuid import UUID

import structlog

from libs.contracts.errors import Malformed, Rejected
from libs.crypto.keyring import Keyring
from libs.crypto.seal import WorkspaceKeys
from services.auth.flow.tickets import Tickets

READER_CHARACTERS: Final = 100
"""Codepoints of a reader's name: it stands in logs beside every use of the grant."""


class Reading:
    """Grants of readers, over all workspaces."""

    def __init__(self, *, tickets: Tickets, keyring: Keyring) -> None:
        self._tickets = tickets
        self._keyring = keyring

    async def grant(self, workspace: UUID, reader: str) -> str:
        """A grant for one workspace, good until it expires or is taken back. It is shown once and kept as a hash.

        Args:
            workspace: Whose events.
            reader: Who will read them, for the log.

        Raises:
            Malformed: `reader` when the name is empty or longer than `READER_CHARACTERS`.
            Rejected: `too_many_tickets` when the workspace has more of them than it can use.
        """
        if not 0 < len(reader) <= READER_CHARACTERS:
            raise Malformed(f"A reader's name has 1 to {READER_CHARACTERS} characters.", code="reader")
        return (await self._tickets.issue(workspace, "read_events", reader.encode())).text

    async def opening_keys(self, grant: str) -> WorkspaceKeys:
        """The keys of the workspace that a grant is for.

        Raises:
            Rejected: `reading_grant` when it is unknown, expired or taken back; `workspace_erased`.
            Transient: The database or the key provider does not answer.
        """
        seen = await self._tickets.see(grant, "read_events")
        if seen is None:
            raise Rejected(
                "This grant opens nothing, or no longer. Ask whoever runs Well for a new one.", code="reading_grant"
            )
        workspace, reader = seen
        keys = await self._keyring.keys(workspace, "payloads")
        structlog.get_logger().info("auth.opened_to_reader", workspace=str(workspace), reader=reader.decode())
        return keys

    async def take_back(self, grant: str) -> None:
        """End a grant.

        Raises:
            Rejected: `reading_grant` when it is unknown, or has ended.
        """
        if await self._tickets.take(grant, "read_events") is None:
            raise Rejected("This grant is unknown, or has ended already.", code="reading_grant")
