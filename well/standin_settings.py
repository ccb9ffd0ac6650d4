"""What is set where stand-ins take the place of both providers: the demo, and services tried out apart."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from libs.qonto.endpoints import endpoints_at as qonto_at
from libs.xero.endpoints import endpoints_at as xero_at
from services.pusher.domain.retrying import ReadingRule, RetryRule
from services.xero_mcp.domain.budget import Limits
from well.settings import Settings

READING: Final = ReadingRule(lease_seconds=5, first_pause_seconds=0.5, longest_pause_seconds=10, looks_max=14)
"""When the demo asks what Qonto read: for 96 seconds, so that a document nobody can read ends before the run stalls."""

POLL_SECONDS: Final = 5.0
"""Seconds between windows of one provider in the demo, so that what a visitor changes is seen soon."""


def at_standins(xero_url: str, qonto_url: str, workspace: UUID) -> Settings:
    """The settings: budgets that nobody waits for, short pauses, and one workspace that every visit is of."""
    return Settings(
        xero_client_id="well-demo",
        xero_client_secret="well-demo-secret",  # noqa: S106 the stand-ins' own
        qonto_client_id="well-demo",
        qonto_client_secret="well-demo-secret",  # noqa: S106 the stand-ins' own
        xero=xero_at(xero_url),
        qonto=qonto_at(qonto_url),
        xero_limits=Limits(per_minute=1_000_000, at_once=8, per_day=10_000_000),
        poll_seconds=POLL_SECONDS,
        overlap_seconds=5.0,
        idle_seconds=0.1,
        document_lease_seconds=5.0,
        retry=RetryRule(request_seconds=5, lease_seconds=6, running_seconds=6, first_pause_seconds=0.5),
        reading=READING,
        sign_in="open",
        open_workspace=workspace,
        mcp_consent="auto",
    )
