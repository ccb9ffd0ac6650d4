"""Settings of ingest, with their units and reasons."""

from __future__ import annotations

from dataclasses import dataclass

from services.ingest.domain.registration import RegisteredByHand


@dataclass(frozen=True)
class IngestSettings:
    """What an installation may set.

    Attributes:
        xero_mcp_url: The MCP endpoint that reads Xero.
        xero_mcp_scope: The scope asked for at that server, words separated by spaces; never more than it takes to read.
        client_document_url: Where `api.py` shows who we are to servers that read such documents; None where nobody
            outside could read it.
        registered_by_hand: Who we are where a person registered us.
        callback_url: Where a browser comes back to after consent at that server; served by `api.py`.
        poll_seconds: Between the openings of two windows of one provider. 15 minutes cost 192 of the 1,000 Xero calls
            a day of the smallest plan (two lists, 96 windows), and leave the rest for documents.
        overlap_seconds: How far a window reaches back behind the last one. Five minutes cover clocks that differ and
            rows that show up late; more would only be read again in silence.
        idle_seconds: How often a worker looks whether something is due. One indexed look-up a workspace.
        fetches_at_once: Documents fetched side by side. Xero allows five calls at once a tenant; one is left to pulls.
        taken_jobs: Documents taken in one round: enough to keep the four busy, few enough to be done in a lease.
        lease_seconds: How long a taken job is left to its process. A job takes about a second; taking one twice costs
            two calls and does no harm, since only the first to finish it says so.
    """

    xero_mcp_url: str
    callback_url: str
    xero_mcp_scope: str = "xero.read"
    client_document_url: str | None = None
    registered_by_hand: RegisteredByHand | None = None
    poll_seconds: float = 900.0
    overlap_seconds: float = 300.0
    idle_seconds: float = 1.0
    fetches_at_once: int = 4
    taken_jobs: int = 16
    lease_seconds: float = 60.0
