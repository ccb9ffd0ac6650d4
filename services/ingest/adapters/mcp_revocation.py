"""Gives a grant back that another has replaced: a person who looks at their programs shall find us once."""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import Final

import httpx2

from libs.contracts.errors import Transient
from services.ingest.adapters.mcp_bearer import client_authentication
from services.ingest.adapters.mcp_grant import Grant
from services.ingest.adapters.mcp_http import WORDS_MAX_BYTES, bounded_client

REVOKE_SECONDS: Final = 10.0
"""Seconds for the call. A person's browser waits for it, and nothing is lost when it fails."""


async def give_back(grant: Grant, endpoint: str) -> None:
    """Have a server end a grant and all that came from it (RFC 7009).

    Raises:
        Transient: It did not say that it has. What nobody uses runs out by itself.
    """
    form, headers = client_authentication(grant)
    form["token"] = grant.refresh_token or grant.access_token
    try:
        async with (
            asyncio.timeout(REVOKE_SECONDS),
            bounded_client(httpx2.Timeout(REVOKE_SECONDS), WORDS_MAX_BYTES) as http,
        ):
            answer = await http.post(endpoint, data=form, headers=headers)
    except (httpx2.RequestError, TimeoutError) as error:
        raise Transient(f"The Xero server could not be told of a grant's end ({type(error).__name__}).") from None
    if answer.status_code != HTTPStatus.OK:
        raise Transient(f"The Xero server did not end a grant ({answer.status_code}).")
