"""In which workspaces ingest has something to do."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

import asyncpg

from libs.contracts.identity import Provider
from libs.database.due import DueByStatement
from services.ingest.domain.patience import LONGEST_PAUSE_SECONDS

_PULLS: Final = """
SELECT asked.workspace FROM unnest($1::uuid[]) AS asked (workspace)
LEFT JOIN ingest.pull AS pull ON pull.workspace = asked.workspace AND pull.provider = $3
WHERE pull.due_at IS NULL OR pull.due_at <= $2 OR pull.due_at > $2 + $4::interval
"""

_DOCUMENTS: Final = """
SELECT asked.workspace FROM unnest($1::uuid[]) AS asked (workspace) WHERE EXISTS (
    SELECT FROM ingest.document_job AS job
    WHERE job.workspace = asked.workspace AND job.state = 'waiting'
        AND (job.due_at <= $2 OR job.due_at > $2 + $3::interval))
"""


def pulls_due(pool: asyncpg.Pool, provider: Provider, *, longest_seconds: float) -> DueByStatement:
    """Whose pull of a provider is due, was never made, or would wait longer than any does (domain/patience.py)."""
    return DueByStatement(pool, _PULLS, (provider, timedelta(seconds=longest_seconds)))


def documents_due(pool: asyncpg.Pool) -> DueByStatement:
    """Whose documents are to be fetched, or would wait longer than any does (domain/patience.py)."""
    return DueByStatement(pool, _DOCUMENTS, (timedelta(seconds=LONGEST_PAUSE_SECONDS),))
