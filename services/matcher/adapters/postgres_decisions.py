"""Decisions and claims in Postgres. A decision lies sealed, as it was said in the log."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from libs.contracts.events import MatchDecided
from libs.contracts.model import reread
from libs.crypto.keyring import Sealer
from libs.crypto.seal import WorkspaceSeal
from libs.database.port import Transaction
from libs.database.postgres import connection_of
from services.matcher.ports import Claim

_TABLE = "matcher.decision"

_CLAIMS = "SELECT invoice_id, bill_id, ground FROM matcher.claim WHERE workspace = $1 AND invoice_id = ANY($2::text[])"

# A conflicting row of the same bill is touched so that it is returned; one of another bill is not.
_CLAIM = """
INSERT INTO matcher.claim AS held (workspace, invoice_id, bill_id, ground)
SELECT $1, invoice_id, bill_id, ground
FROM unnest($2::text[], $3::text[], $4::text[]) AS new(invoice_id, bill_id, ground)
ORDER BY invoice_id
ON CONFLICT (workspace, invoice_id) DO UPDATE SET bill_id = held.bill_id WHERE held.bill_id = excluded.bill_id
RETURNING invoice_id
"""

_HOLD_CLAIMS = """
SELECT invoice_id, bill_id FROM matcher.claim WHERE workspace = $1 AND invoice_id = ANY($2::text[])
ORDER BY invoice_id FOR UPDATE
"""

_SEIZE = """
INSERT INTO matcher.claim (workspace, invoice_id, bill_id, ground)
SELECT $1, invoice_id, bill_id, ground
FROM unnest($2::text[], $3::text[], $4::text[]) AS new(invoice_id, bill_id, ground)
ORDER BY invoice_id
ON CONFLICT (workspace, invoice_id) DO UPDATE SET bill_id = excluded.bill_id, ground = excluded.ground
"""

_RELEASE = """
DELETE FROM matcher.claim AS claim
USING unnest($2::text[], $3::text[]) AS keeping(bill_id, invoice_id)
WHERE claim.workspace = $1 AND claim.bill_id = keeping.bill_id AND claim.ground <> 'posted'
    AND claim.invoice_id IS DISTINCT FROM keeping.invoice_id
RETURNING claim.invoice_id, claim.bill_id, claim.ground
"""

_PUT = """
INSERT INTO matcher.decision (workspace, bill_id, generation, sealed)
SELECT $1, bill_id, generation, sealed
FROM unnest($2::text[], $3::bigint[], $4::bytea[]) AS new(bill_id, generation, sealed)
"""

_DECISIONS = """
SELECT bill_id, generation, sealed FROM matcher.decision
JOIN unnest($2::text[], $3::bigint[]) AS wanted(bill_id, generation) USING (bill_id, generation)
WHERE workspace = $1
"""

_LATEST = """
SELECT bill_id, generation, sealed FROM matcher.decision WHERE workspace = $1 AND bill_id = $2
ORDER BY generation DESC LIMIT 1
"""

_COUNTS = """
SELECT verdict AS name, count(*) FROM matcher.bill WHERE workspace = $1 AND verdict IS NOT NULL GROUP BY verdict
UNION ALL
SELECT 'due', count(*) FROM matcher.bill WHERE workspace = $1 AND is_due HAVING count(*) > 0
"""


class PostgresDecisions:
    """Decisions, and which supplier invoice belongs to which bill."""

    def __init__(self, sealer: Sealer) -> None:
        self._sealer = sealer

    async def claims(self, tx: Transaction, invoice_ids: Collection[str]) -> dict[str, Claim]:
        """The claims on these supplier invoices."""
        rows = await connection_of(tx).fetch(_CLAIMS, tx.workspace, list(invoice_ids))
        return {row["invoice_id"]: Claim(row["invoice_id"], row["bill_id"], row["ground"]) for row in rows}

    async def claim(self, tx: Transaction, claims: Sequence[Claim]) -> set[str]:
        """Claim supplier invoices that are free, or this bill's own already; returns those that now are the bill's."""
        rows = await connection_of(tx).fetch(_CLAIM, tx.workspace, *_columns(claims))
        return {row["invoice_id"] for row in rows}

    async def seize(self, tx: Transaction, claims: Sequence[Claim]) -> dict[str, str]:
        """Claim supplier invoices as a matter of fact; returns who lost which."""
        if not claims:
            return {}
        connection = connection_of(tx)
        before = await connection.fetch(_HOLD_CLAIMS, tx.workspace, [claim.invoice_id for claim in claims])
        await connection.execute(_SEIZE, tx.workspace, *_columns(claims))
        now = {claim.invoice_id: claim.bill_id for claim in claims}
        return {row["invoice_id"]: row["bill_id"] for row in before if row["bill_id"] != now[row["invoice_id"]]}

    async def release(self, tx: Transaction, keeping: Mapping[str, str | None]) -> list[Claim]:
        """Give up what these bills claim, but for one supplier invoice each, and for what was posted."""
        rows = await connection_of(tx).fetch(_RELEASE, tx.workspace, list(keeping), list(keeping.values()))
        return [Claim(row["invoice_id"], row["bill_id"], row["ground"]) for row in rows]

    async def put_decisions(self, tx: Transaction, decisions: Mapping[str, MatchDecided]) -> None:
        """Keep the decisions of bills beside their earlier ones."""
        seal = await self._sealer.of(tx.workspace)
        sealed = [
            seal.seal(said.model_dump_json().encode(), table=_TABLE, row=_row(id_, said.generation), column="sealed")
            for id_, said in decisions.items()
        ]
        generations = [decision.generation for decision in decisions.values()]
        await connection_of(tx).execute(_PUT, tx.workspace, list(decisions), generations, sealed)

    async def decisions(self, tx: Transaction, wanted: Mapping[str, int]) -> dict[str, MatchDecided]:
        """The decision of each bill with the given generation, where there is one."""
        seal = await self._sealer.of(tx.workspace)
        rows = await connection_of(tx).fetch(_DECISIONS, tx.workspace, list(wanted), list(wanted.values()))
        return {row["bill_id"]: _opened(seal, row["bill_id"], row["generation"], row["sealed"]) for row in rows}

    async def latest(self, tx: Transaction, bill_id: str) -> MatchDecided | None:
        """The standing decision of a bill."""
        seal = await self._sealer.of(tx.workspace)
        row = await connection_of(tx).fetchrow(_LATEST, tx.workspace, bill_id)
        return _opened(seal, row["bill_id"], row["generation"], row["sealed"]) if row else None

    async def counts(self, tx: Transaction) -> dict[str, int]:
        """Bills by standing verdict, and under `due` those to be decided."""
        rows = await connection_of(tx).fetch(_COUNTS, tx.workspace)
        return {row["name"]: row["count"] for row in rows}


def _columns(claims: Sequence[Claim]) -> tuple[list[str], list[str], list[str]]:
    return [c.invoice_id for c in claims], [c.bill_id for c in claims], [c.ground for c in claims]


def _row(bill_id: str, generation: int) -> str:
    return f"{bill_id}/{generation}"


def _opened(seal: WorkspaceSeal, bill_id: str, generation: int, sealed: bytes) -> MatchDecided:
    plain = seal.open(sealed, table=_TABLE, row=_row(bill_id, generation), column="sealed")
    return reread(MatchDecided, plain, where=f"{_TABLE}.sealed")
