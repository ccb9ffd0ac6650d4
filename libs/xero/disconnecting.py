"""Ends a connection of Xero's. It stands apart from the client, which reads and can do nothing else."""

from __future__ import annotations

from http import HTTPStatus
from typing import Final
from urllib.parse import quote

import httpx

from libs.contracts.errors import Transient
from libs.xero.endpoints import Endpoints
from libs.xero.refusals import refusal

_ENDED: Final = frozenset({HTTPStatus.NO_CONTENT, HTTPStatus.NOT_FOUND})
"""Ended now, or before. Source: developer.xero.com, OAuth 2.0, "Removing connections"."""


async def end_connection(http: httpx.AsyncClient, endpoints: Endpoints, token: str, connection_id: str) -> None:
    """Take an organisation off the list of its user's connections; the user's others live on.

    Args:
        http: Makes the request.
        endpoints: Which Xero.
        token: An access token of the user.
        connection_id: Its `id` in the list, which is not the tenant's.

    Raises:
        ConsentLost: The token is not honoured.
        Rejected: Xero refused.
        Transient: No clear answer came.
    """
    url = f"{endpoints.connections_url}/{quote(connection_id, safe='')}"
    bearer = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
    try:
        answer = await http.delete(url, headers=bearer, follow_redirects=False)
    except httpx.RequestError as error:
        raise Transient(f"The network to Xero failed ({type(error).__name__}).") from None
    if answer.status_code not in _ENDED:
        raise refusal(answer.status_code, answer.headers, b"")
