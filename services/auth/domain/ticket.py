"""Tickets: what a browser carries that stands for a right until it expires. Only their hash is kept."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Literal

TicketPurpose = Literal[
    "sign_in", "session", "consent", "choice", "disconnect", "mcp_request", "mcp_form", "mcp_grant", "read_events"
]

LASTS: Final[dict[TicketPurpose, timedelta]] = {
    "sign_in": timedelta(minutes=15),
    "session": timedelta(hours=12),
    "consent": timedelta(minutes=10),
    "choice": timedelta(minutes=10),
    "disconnect": timedelta(minutes=30),
    "mcp_request": timedelta(minutes=30),
    "mcp_form": timedelta(minutes=30),
    "mcp_grant": timedelta(minutes=1),
    "read_events": timedelta(days=90),
}
"""How long each is good: a sign-in link is clicked soon after it is printed; a session is a working day; a consent is
a visit to the provider's page, and a choice the page after it; a page to disconnect from may stay open for a while; a
request of an MCP client may include a visit to the provider; a grant only crosses a redirect. Another team's right to
read events ends with the quarter, so that somebody asks whether it is still wanted."""

LIVE_TICKETS: Final = 1000
"""Unexpired tickets of one purpose in one workspace at most. A workspace has a handful of people; more is an attack or
a loop, and must not grow the table."""

GIVE_WAY: Final[frozenset[TicketPurpose]] = frozenset({"mcp_request", "mcp_form", "disconnect"})
"""Purposes whose oldest ticket makes room when there is none. A stranger's program may ask for consents, and a thousand
of them must not hold up everybody else's for half an hour; a form whose page was opened a thousand times since is not
sent any more. Of all others the newest is refused: somebody counts on the oldest."""


@dataclass(frozen=True)
class Ticket:
    """A ticket as it is kept. `content` is what it stands for, sealed at rest."""

    purpose: TicketPurpose
    sha256: bytes
    content: bytes = field(repr=False)
    expires_at: datetime
