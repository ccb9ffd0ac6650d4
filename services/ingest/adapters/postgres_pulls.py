"""Pulls in Postgres: one row a provider of a workspace."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from libs.contracts.identity import Provider
from libs.database.port import Transaction
from libs.database.postgres import connection_of
from services.ingest.domain.kept import Pull
from services.ingest.domain.windows import Window


class PostgresPulls:
    """How far each provider has been read, in `ingest.pull`."""

    async def held(self, tx: Transaction, provider: Provider, *, now: datetime) -> Pull:
        """A provider's pull, held for this transaction; made, and due at once, on first use."""
        find = "SELECT * FROM ingest.pull WHERE workspace = $1 AND provider = $2 FOR UPDATE"
        row = await connection_of(tx).fetchrow(find, tx.workspace, provider)
        if row is None:
            await self._make(tx, provider, now)
            row = await connection_of(tx).fetchrow(find, tx.workspace, provider)
        return _pull_of(row)

    async def all(self, tx: Transaction) -> Sequence[Pull]:
        """Every provider's pull, held by nobody."""
        rows = await connection_of(tx).fetch("SELECT * FROM ingest.pull WHERE workspace = $1", tx.workspace)
        return [_pull_of(row) for row in rows]

    async def _make(self, tx: Transaction, provider: Provider, now: datetime) -> None:
        await connection_of(tx).execute(
            """
            INSERT INTO ingest.pull (workspace, provider, windows, due_at, failures, contacts, bills, supplier_invoices)
            VALUES ($1, $2, 0, $3, 0, 0, 0, 0) ON CONFLICT DO NOTHING
            """,
            tx.workspace,
            provider,
            now,
        )

    async def put(self, tx: Transaction, pull: Pull) -> None:
        """Keep a pull in place of what was there."""
        window = pull.window
        await connection_of(tx).execute(
            """
            INSERT INTO ingest.pull (workspace, provider, windows, last_opened_at, window_number, window_since,
                window_opened_at, window_kind, window_page, window_counted, window_changed, due_at, failures, sentence,
                contacts, bills, supplier_invoices)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)
            ON CONFLICT (workspace, provider) DO UPDATE SET
                windows = $3, last_opened_at = $4, window_number = $5, window_since = $6, window_opened_at = $7,
                window_kind = $8, window_page = $9, window_counted = $10, window_changed = $11, due_at = $12,
                failures = $13, sentence = $14, contacts = $15, bills = $16, supplier_invoices = $17
            """,
            tx.workspace,
            pull.provider,
            pull.windows,
            pull.last_opened_at,
            window and window.number,
            window and window.since,
            window and window.opened_at,
            window and window.kind,
            window and window.page,
            window and window.counted,
            window and window.changed,
            pull.due_at,
            pull.failures,
            pull.sentence,
            pull.pulled.get("contact", 0),
            pull.pulled.get("bill", 0),
            pull.pulled.get("supplier_invoice", 0),
        )


def _pull_of(row: Any) -> Pull:  # noqa: ANN401 - asyncpg ships no types
    return Pull(
        provider=row["provider"],
        windows=row["windows"],
        last_opened_at=row["last_opened_at"],
        window=_window_of(row),
        due_at=row["due_at"],
        failures=row["failures"],
        sentence=row["sentence"],
        pulled={"contact": row["contacts"], "bill": row["bills"], "supplier_invoice": row["supplier_invoices"]},
    )


def _window_of(row: Any) -> Window | None:  # noqa: ANN401 - asyncpg ships no types
    if row["window_number"] is None:
        return None
    return Window(
        number=row["window_number"],
        since=row["window_since"],
        opened_at=row["window_opened_at"],
        kind=row["window_kind"],
        page=row["window_page"],
        counted=row["window_counted"],
        changed=row["window_changed"],
    )
