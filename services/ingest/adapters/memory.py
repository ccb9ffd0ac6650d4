"""The store in memory: the same promises as in Postgres."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from libs.contracts.identity import Provider
from libs.database.memory import table_of
from libs.database.port import Transaction
from services.ingest.domain.kept import DocumentJob, Head, Postponed, Pull, RawVersion, first_pull
from services.ingest.domain.patience import latest_due
from services.ingest.ports import DocumentJobs, Grants, McpClients, McpReturns, Pulls, RawRecords, Renormalizings


class MemoryRawRecords:
    """Versions by record, oldest first."""

    async def heads(self, tx: Transaction, records: Sequence[str]) -> Mapping[str, Head]:
        """The newest version of each of these records that there is."""
        kept = _raw(tx)
        newest = {record: kept[record][-1] for record in records if record in kept}
        return {record: Head(version.version, version.content_sha256) for record, version in newest.items()}

    async def add(self, tx: Transaction, versions: Sequence[RawVersion]) -> None:
        """Keep versions that were not there."""
        kept = _raw(tx)
        for version in versions:
            kept[version.record] = (*kept.get(version.record, ()), version)

    async def load(self, tx: Transaction, versions: Sequence[tuple[str, int]]) -> Mapping[tuple[str, int], RawVersion]:
        """These versions, by record and version; those never kept are left out."""
        kept = _raw(tx)
        wanted = [(record, number) for record, number in versions if number <= len(kept.get(record, ()))]
        return {(record, number): kept[record][number - 1] for record, number in wanted}

    async def newest_after(self, tx: Transaction, record: str, *, limit: int) -> Sequence[RawVersion]:
        """The newest version of each of the next records behind a name, in order of names."""
        kept = _raw(tx)
        return [kept[name][-1] for name in sorted(name for name in kept if name > record)[:limit]]


class MemoryPulls:
    """Pulls by provider."""

    async def held(self, tx: Transaction, provider: Provider, *, now: datetime) -> Pull:
        """A provider's pull, held for this transaction; made, and due at once, on first use."""
        pull: Pull = table_of(tx, "ingest.pull").setdefault(provider, first_pull(provider, now))
        return pull

    async def all(self, tx: Transaction) -> Sequence[Pull]:
        """Every provider's pull, held by nobody."""
        return list(table_of(tx, "ingest.pull").values())

    async def put(self, tx: Transaction, pull: Pull) -> None:
        """Keep a pull in place of what was there."""
        table_of(tx, "ingest.pull")[pull.provider] = pull


@dataclass(frozen=True)
class _Job:
    job: DocumentJob
    state: str = "waiting"


class MemoryDocumentJobs:
    """Jobs by bill."""

    async def ask(self, tx: Transaction, jobs: Sequence[DocumentJob]) -> None:
        """Let jobs wait; one of the same or a newer generation is left as it is."""
        kept = _jobs(tx)
        for job in jobs:
            if job.record not in kept or kept[job.record].job.generation < job.generation:
                kept[job.record] = _Job(replace(job, attempts=0))

    async def cancel(self, tx: Transaction, generations: Mapping[str, int]) -> None:
        """Cancel what waits for these bills at an older generation."""
        kept = _jobs(tx)
        for record, generation in generations.items():
            row = kept.get(record)
            if row and row.state == "waiting" and row.job.generation < generation:
                kept[record] = replace(row, state="cancelled")

    async def take(self, tx: Transaction, *, now: datetime, until: datetime, limit: int) -> Sequence[DocumentJob]:
        """Waiting jobs that are due, put off `until` so that no other process takes them meanwhile."""
        kept = _jobs(tx)
        longest = latest_due(now, until)
        waiting = [row.job for row in kept.values() if row.state == "waiting"]
        due = [job for job in waiting if not now < job.due_at <= longest]
        taken = [replace(job, due_at=until) for job in sorted(due, key=lambda job: job.due_at)[:limit]]
        kept.update({job.record: _Job(job) for job in taken})
        return taken

    async def finish(
        self, tx: Transaction, done: Sequence[DocumentJob], missing: Sequence[DocumentJob]
    ) -> frozenset[str]:
        """End jobs; gives the records of those that still waited at their generation."""
        kept = _jobs(tx)
        ended = [*((job, "done") for job in done), *((job, "missing") for job in missing)]
        waited = [(job, state) for job, state in ended if _waits(kept, job)]
        kept.update({job.record: _Job(job, state) for job, state in waited})
        return frozenset(job.record for job, _ in waited)

    async def postpone(self, tx: Transaction, postponed: Sequence[Postponed]) -> None:
        """Put jobs off that still wait at their generation, one attempt older."""
        kept = _jobs(tx)
        for later in postponed:
            if _waits(kept, later.job):
                job = kept[later.job.record].job
                kept[job.record] = _Job(replace(job, due_at=later.until, attempts=job.attempts + 1))

    async def counts(self, tx: Transaction) -> Mapping[str, int]:
        """Jobs by state."""
        return Counter(row.state for row in _jobs(tx).values())


class MemoryMcpClients:
    """Sealed registrations by issuer, in the order they were kept."""

    async def get(self, tx: Transaction, issuer: str) -> bytes | None:
        """The sealed registration of an issuer."""
        sealed: bytes | None = table_of(tx, "ingest.mcp_client").get(issuer)
        return sealed

    async def put(self, tx: Transaction, issuer: str, sealed: bytes, *, now: datetime, limit: int) -> None:
        """Keep a registration in place of the issuer's last one, and of all no more than the `limit` newest."""
        del now
        table = table_of(tx, "ingest.mcp_client")
        table.pop(issuer, None)
        table[issuer] = sealed
        while len(table) > limit:
            del table[next(iter(table))]


class MemoryGrants:
    """Sealed grants by server."""

    async def get(self, tx: Transaction, server: str, *, hold: bool = False) -> bytes | None:
        """The sealed grant."""
        del hold  # transactions come one after the other
        sealed: bytes | None = table_of(tx, "ingest.mcp_grant").get(server)
        return sealed

    async def put(self, tx: Transaction, server: str, sealed: bytes) -> None:
        """Keep a grant in place of what was there; whoever refreshes it has had its turn."""
        table_of(tx, "ingest.mcp_grant")[server] = sealed
        table_of(tx, "ingest.mcp_grant.turns").pop(server, None)

    async def take_turn(
        self, tx: Transaction, server: str, *, now: datetime, until: datetime, longest: datetime
    ) -> bool:
        """Whether the caller may refresh the grant, alone until that instant; False while somebody else does."""
        turns = table_of(tx, "ingest.mcp_grant.turns")
        if server not in table_of(tx, "ingest.mcp_grant") or now < turns.get(server, now) <= longest:
            return False
        turns[server] = until
        return True

    async def end_turn(self, tx: Transaction, server: str, *, until: datetime) -> None:
        """Let others refresh it, unless another has the turn by now: not the one until this instant."""
        turns = table_of(tx, "ingest.mcp_grant.turns")
        if turns.get(server) == until:
            del turns[server]


@dataclass(frozen=True)
class _Return:
    until: datetime
    sealed: bytes | None = None
    ending: str | None = None


class MemoryReturns:
    """Browsers by state."""

    async def expect(self, tx: Transaction, state: bytes, *, now: datetime, until: datetime, limit: int) -> bool:
        """Wait for one until an instant, and drop those whose time is over; False when `limit` are away already."""
        away = _returns(tx)
        for old in [each for each, row in away.items() if row.until <= now]:
            del away[old]
        if len(away) >= limit:
            return False
        away[state] = _Return(until)
        return True

    async def bring(self, tx: Transaction, state: bytes, sealed: bytes, *, now: datetime) -> bool:
        """Keep what it brings; False when nobody waits for it, or it has brought something before."""
        away = _returns(tx)
        row = away.get(state)
        if row is None or row.sealed is not None or row.until <= now:
            return False
        away[state] = replace(row, sealed=sealed)
        return True

    async def brought(self, tx: Transaction, state: bytes) -> bytes | None:
        """What it brought, sealed."""
        row = _returns(tx).get(state)
        return None if row is None else row.sealed

    async def end(self, tx: Transaction, state: bytes, ending: str) -> None:
        """Keep how it ended."""
        away = _returns(tx)
        if state in away:
            away[state] = replace(away[state], ending=ending)

    async def take_ending(self, tx: Transaction, state: bytes) -> str | None:
        """How it ended, which is forgotten with this."""
        row = _returns(tx).get(state)
        if row is None or row.ending is None:
            return None
        del _returns(tx)[state]
        return row.ending


class MemoryRenormalizings:
    """At most one run."""

    async def get(self, tx: Transaction) -> tuple[UUID, str] | None:
        """The run and the record it has come to, held for this transaction."""
        run: tuple[UUID, str] | None = table_of(tx, "ingest.renormalizing").get("run")
        return run

    async def put(self, tx: Transaction, run: UUID, record: str) -> None:
        """Keep how far a run has come."""
        table_of(tx, "ingest.renormalizing")["run"] = (run, record)

    async def end(self, tx: Transaction) -> None:
        """Forget the run."""
        table_of(tx, "ingest.renormalizing").pop("run", None)


@dataclass(frozen=True)
class MemoryStore:
    """Everything ingest keeps, in memory."""

    raw: RawRecords = field(default_factory=MemoryRawRecords)
    pulls: Pulls = field(default_factory=MemoryPulls)
    jobs: DocumentJobs = field(default_factory=MemoryDocumentJobs)
    grants: Grants = field(default_factory=MemoryGrants)
    mcp_clients: McpClients = field(default_factory=MemoryMcpClients)
    mcp_returns: McpReturns = field(default_factory=MemoryReturns)
    renormalizings: Renormalizings = field(default_factory=MemoryRenormalizings)


def _raw(tx: Transaction) -> MutableMapping[str, tuple[RawVersion, ...]]:
    return table_of(tx, "ingest.raw_record")


def _jobs(tx: Transaction) -> MutableMapping[str, _Job]:
    return table_of(tx, "ingest.document_job")


def _returns(tx: Transaction) -> MutableMapping[bytes, _Return]:
    return table_of(tx, "ingest.mcp_return")


def _waits(kept: Mapping[str, Any], job: DocumentJob) -> bool:
    row = kept.get(job.record)
    return row is not None and row.state == "waiting" and row.job.generation == job.generation
