"""In which workspaces the pusher has something to do."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta
from typing import Final

import asyncpg

from libs.database.due import DueByStatement
from services.pusher.domain.posting import State
from services.pusher.domain.retrying import LONGEST_WAIT_SECONDS

_POSTINGS: Final = """
SELECT asked.workspace FROM unnest($1::uuid[]) AS asked (workspace) WHERE EXISTS (
    SELECT FROM pusher.posting AS posting
    WHERE posting.workspace = asked.workspace AND posting.state = ANY ($3::text[])
        AND (posting.due_at <= $2 OR posting.due_at > $2 + $4::interval))
"""


def postings_due(pool: asyncpg.Pool, states: Collection[State]) -> DueByStatement:
    """Who has postings in these states that are due, or would wait longer than any does (domain/retrying.py)."""
    longest = timedelta(seconds=LONGEST_WAIT_SECONDS)
    return DueByStatement(pool, _POSTINGS, ([state.value for state in states], longest))
