"""What ingest needs from outside: two providers to read, tokens lent, rows kept.

Words:
    *words*: a provider's record as canonical JSON, sealed at rest; its SHA-256 says whether it changed.
    *version*: the count of different words seen of one record, from 1. Every version is kept, so that an event can be
    traced to the words it came from and a record never vanishes between two versions.
    *pull*: how far a provider of a workspace has been read, and the window under way.
    *job*: one bill's document that a decision asked for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from libs.contracts.identity import Provider, RecordKind
from libs.crypto.lent import LentToken
from libs.database.port import Transaction
from services.ingest.domain.attachments import Attachment
from services.ingest.domain.kept import DocumentJob, Head, Postponed, Pull, RawVersion


@dataclass(frozen=True)
class Page:
    """One page of a provider's list, oldest change first."""

    records: Sequence[Mapping[str, Any]]
    page_count: int


@dataclass(frozen=True)
class AttachedFile:
    """A downloaded attachment."""

    file_name: str
    content: bytes


class Reader(Protocol):
    """Reads a provider for a workspace. Every method may raise ConsentLost, Transient, Rejected, Malformed."""

    async def records(self, workspace: UUID, kind: RecordKind, *, page: int, since: datetime | None) -> Page:
        """A page of what a provider lists, changed at or after an instant.

        Of Xero contacts, or invoices of every type, archived ones too; of Qonto supplier invoices.
        """
        ...


class XeroReader(Reader, Protocol):
    """Reads Xero, through MCP."""

    async def attachments(self, workspace: UUID, bill_id: str) -> Sequence[Attachment]:
        """What is attached to a bill."""
        ...

    async def attached_file(self, workspace: UUID, bill_id: str, attachment_id: str) -> AttachedFile:
        """One attachment's bytes, checked against the digest the server gave with them."""
        ...


class TokenLender(Protocol):
    """Lends access tokens; auth stands behind it."""

    async def lend(self, borrower: str, workspace: UUID, provider: Provider) -> LentToken:
        """A token that lives long enough for one call.

        Raises:
            ConsentLost: A person must connect the provider again.
            Transient: It could not be refreshed just now.
        """
        ...

    async def refused(self, workspace: UUID, provider: Provider, secret: str) -> None:
        """Say that the provider answered 401 to this token."""
        ...


class Workspaces(Protocol):
    """Which workspaces are connected; auth stands behind it."""

    async def connected(self, provider: Provider) -> Sequence[UUID]:
        """Those whose connection to a provider is active, or refused for now and tried again."""
        ...


class Visitors(Protocol):
    """Whose browser this is; auth stands behind it."""

    async def visitor(self, session: str) -> UUID:
        """The workspace that a session opens.

        Raises:
            Rejected: `no_session`.
            Transient: It cannot be told just now.
        """
        ...


class RawRecords(Protocol):
    """Every version of every record."""

    async def heads(self, tx: Transaction, records: Sequence[str]) -> Mapping[str, Head]:
        """The newest version of each of these records that there is."""
        ...

    async def add(self, tx: Transaction, versions: Sequence[RawVersion]) -> None:
        """Keep versions that were not there."""
        ...

    async def load(self, tx: Transaction, versions: Sequence[tuple[str, int]]) -> Mapping[tuple[str, int], RawVersion]:
        """These versions, by record and version; those never kept are left out."""
        ...

    async def newest_after(self, tx: Transaction, record: str, *, limit: int) -> Sequence[RawVersion]:
        """The newest version of each of the next records behind a name, in order of names."""
        ...


class Pulls(Protocol):
    """How far each provider has been read."""

    async def held(self, tx: Transaction, provider: Provider, *, now: datetime) -> Pull:
        """A provider's pull, held for this transaction; made, and due at once, on first use."""
        ...

    async def all(self, tx: Transaction) -> Sequence[Pull]:
        """Every provider's pull, held by nobody."""
        ...

    async def put(self, tx: Transaction, pull: Pull) -> None:
        """Keep a pull in place of what was there."""
        ...


class DocumentJobs(Protocol):
    """Documents asked for. A job ends `done`, `missing` or `cancelled`; a newer generation starts it anew."""

    async def ask(self, tx: Transaction, jobs: Sequence[DocumentJob]) -> None:
        """Let jobs wait; one of the same or a newer generation is left as it is."""
        ...

    async def cancel(self, tx: Transaction, generations: Mapping[str, int]) -> None:
        """Cancel what waits for these bills at an older generation."""
        ...

    async def take(self, tx: Transaction, *, now: datetime, until: datetime, limit: int) -> Sequence[DocumentJob]:
        """Waiting jobs that are due, put off `until` so that no other process takes them meanwhile.

        One that would wait longer than any does was put off by a clock that has gone back since, and is due.
        """
        ...

    async def finish(
        self, tx: Transaction, done: Sequence[DocumentJob], missing: Sequence[DocumentJob]
    ) -> frozenset[str]:
        """End jobs; gives the records of those that still waited at their generation."""
        ...

    async def postpone(self, tx: Transaction, postponed: Sequence[Postponed]) -> None:
        """Put jobs off that still wait at their generation, one attempt older."""
        ...

    async def counts(self, tx: Transaction) -> Mapping[str, int]:
        """Jobs by state."""
        ...


class McpClients(Protocol):
    """How authorization servers of MCP servers registered us, sealed, in the workspace of the installation."""

    async def get(self, tx: Transaction, issuer: str) -> bytes | None:
        """The sealed registration of an issuer."""
        ...

    async def put(self, tx: Transaction, issuer: str, sealed: bytes, *, now: datetime, limit: int) -> None:
        """Keep a registration in place of the issuer's last one, and of all no more than the `limit` newest."""
        ...


class Grants(Protocol):
    """What an MCP server granted us, sealed: client registration, tokens, metadata; by the server's address."""

    async def get(self, tx: Transaction, server: str, *, hold: bool = False) -> bytes | None:
        """The sealed grant; with `hold` it stays as it is until the transaction ends."""
        ...

    async def put(self, tx: Transaction, server: str, sealed: bytes) -> None:
        """Keep a grant in place of what was there; whoever refreshes it has had its turn."""
        ...

    async def take_turn(
        self, tx: Transaction, server: str, *, now: datetime, until: datetime, longest: datetime
    ) -> bool:
        """Whether the caller may refresh the grant, alone until that instant; False while somebody else does.

        A turn that ends after `longest` was taken by a clock that has gone back since, and keeps nobody out.
        """
        ...

    async def end_turn(self, tx: Transaction, server: str, *, until: datetime) -> None:
        """Let others refresh it, unless another has the turn by now: not the one until this instant."""
        ...


class McpReturns(Protocol):
    """Browsers that are away to consent at an MCP server, by the SHA-256 of the state they carry."""

    async def expect(self, tx: Transaction, state: bytes, *, now: datetime, until: datetime, limit: int) -> bool:
        """Wait for one until an instant, and drop those whose time is over; False when `limit` are away already."""
        ...

    async def bring(self, tx: Transaction, state: bytes, sealed: bytes, *, now: datetime) -> bool:
        """Keep what it brings; False when nobody waits for it, or it has brought something before."""
        ...

    async def brought(self, tx: Transaction, state: bytes) -> bytes | None:
        """What it brought, sealed."""
        ...

    async def end(self, tx: Transaction, state: bytes, ending: str) -> None:
        """Keep how it ended."""
        ...

    async def take_ending(self, tx: Transaction, state: bytes) -> str | None:
        """How it ended, which is forgotten with this."""
        ...


class Renormalizings(Protocol):
    """The one run of renormalising a workspace may have under way."""

    async def get(self, tx: Transaction) -> tuple[UUID, str] | None:
        """The run and the record it has come to, held for this transaction."""
        ...

    async def put(self, tx: Transaction, run: UUID, record: str) -> None:
        """Keep how far a run has come."""
        ...

    async def end(self, tx: Transaction) -> None:
        """Forget the run."""
        ...


class Store(Protocol):
    """Everything ingest keeps."""

    @property
    def raw(self) -> RawRecords:
        """Every version of every record."""
        ...

    @property
    def pulls(self) -> Pulls:
        """How far each provider has been read."""
        ...

    @property
    def jobs(self) -> DocumentJobs:
        """Documents asked for."""
        ...

    @property
    def grants(self) -> Grants:
        """What MCP servers granted us."""
        ...

    @property
    def mcp_clients(self) -> McpClients:
        """How their authorization servers registered us."""
        ...

    @property
    def mcp_returns(self) -> McpReturns:
        """Browsers that are away to consent there."""
        ...

    @property
    def renormalizings(self) -> Renormalizings:
        """The run of renormalising under way."""
        ...
