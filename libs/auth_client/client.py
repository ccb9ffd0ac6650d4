"""Asks auth over HTTP, and is to its caller what auth is in one process: the same methods, the same errors."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Literal, TypeVar
from uuid import UUID

import httpx
from pydantic import ValidationError

from libs.auth_client import wire
from libs.auth_client.call import answer_as, answered
from libs.contracts.consented import Consented
from libs.contracts.errors import Malformed, Rejected
from libs.contracts.identity import KeyPurpose, Provider
from libs.contracts.model import Published
from libs.contracts.service_token import minted
from libs.crypto.lent import LentToken
from libs.crypto.seal import WorkspaceKeys
from libs.runtime.clock import Clock, is_within

LISTED_FOR: Final = timedelta(seconds=1)
"""How long a list of workspaces is used again: jobs look several times a second, and the list changes when a person
connects something. A new workspace waits that long to be visited. One that was lost may be visited that much longer,
which is safe: the visit wants a token, tokens are never kept, and auth lends none. Keys are not kept here either: the
`Sealer` in front keeps those of the workspaces in use."""

Answer = TypeVar("Answer", bound=Published)


@dataclass(frozen=True)
class AuthClient:
    """Auth, asked by one service.

    Attributes:
        service: Who asks; its token says so.
        secret: What its tokens are signed with.
        url: Where auth listens.
        http: Closed by whoever opened it.
        clock: The one clock.
    """

    service: str
    secret: bytes = field(repr=False)
    url: str
    http: httpx.AsyncClient
    clock: Clock
    _listed: dict[str, tuple[datetime, tuple[UUID, ...]]] = field(default_factory=dict, repr=False)

    async def lend(self, borrower: str, workspace: UUID, provider: Provider) -> LentToken:
        """A token for one call.

        Raises:
            Rejected: `not_a_borrower` when this service may not borrow it.
            ConsentLost: There is no consent, or the provider no longer honours it.
            Transient: Auth, the provider or the database does not answer, or the connection rests after refusals.
        """
        if borrower != self.service:
            raise Rejected(f"{self.service} cannot borrow in the name of {borrower}.", code="not_a_borrower")
        lent = answer_as(await self._tokens("lend", provider, wire.Workspace(workspace=workspace)), wire.Lent)
        return LentToken(lent.secret, lent.account, lent.expires_at)

    async def refused(self, workspace: UUID, provider: Provider, secret: str) -> None:
        """Tell that the provider refused this token.

        Raises:
            ConsentLost: The provider no longer honours the consent.
            Transient: Auth, the provider or the database does not answer, or the connection rests now.
        """
        await self._tokens("refused", provider, wire.RefusedToken(workspace=workspace, secret=secret))

    async def forbidden(self, workspace: UUID, provider: Provider) -> None:
        """Tell that the provider refused its account to a good token.

        Raises:
            ConsentLost: The consent no longer opens it.
            Transient: That cannot be told right now.
        """
        await self._tokens("forbidden", provider, wire.Workspace(workspace=workspace))

    async def workspaces(self) -> Sequence[UUID]:
        """Every workspace that has had a connection.

        Raises:
            Transient: Auth or its database does not answer.
        """
        return await self._list("workspaces")

    async def connected(self, provider: Provider) -> Sequence[UUID]:
        """The workspaces whose connection to a provider is active, or refused for now and tried again.

        Raises:
            Transient: Auth or its database does not answer.
        """
        return await self._list(f"workspaces?connected={provider}")

    async def erased(self) -> Sequence[UUID]:
        """The workspaces of which a service deletes what it keeps.

        Raises:
            Transient: Auth or its database does not answer.
        """
        return await self._list("erased")

    async def connection_state(
        self, workspace: UUID, provider: Provider
    ) -> Literal["none", "active", "refused", "lost", "revoked"]:
        """How a connection stands.

        Raises:
            Transient: Auth or its database does not answer.
        """
        path = f"workspaces/{workspace}/connections/{provider}"
        return answer_as(await self._ask("GET", path, workspace=workspace), wire.Connection).state

    async def keys(self, workspace: UUID, purpose: KeyPurpose) -> WorkspaceKeys:
        """All keys of a workspace for one purpose, made on first use.

        Raises:
            Rejected: `workspace_erased` when its keys were destroyed; `not_allowed` when they are not for it.
            Malformed: As auth's keyring says.
            Transient: Auth or its database does not answer.
        """
        path = f"workspaces/{workspace}/keys/{purpose}"
        return wire.keys_of(answer_as(await self._ask("GET", path, workspace=workspace), wire.Keys))

    async def ask_consent(
        self, *, client_name: str, redirect_host: str, scopes: tuple[str, ...], return_to: str, document_host: str = ""
    ) -> str:
        """The page where a person answers for an MCP client.

        Raises:
            Rejected: This service may not ask.
            Malformed: What the client says of itself is longer than it may be.
            Transient: Auth or its database does not answer.
        """
        try:
            asked = wire.ConsentRequest(
                client_name=client_name,
                redirect_host=redirect_host,
                document_host=document_host,
                scopes=scopes,
                return_to=return_to,
            )
        except ValidationError:
            raise Malformed("A program asks for consent with words that are too long.", code="consent_words") from None
        return (await self._post("consents/ask", asked, wire.Address)).url

    async def redeem_consent(self, grant: str, *, return_to: str) -> Consented:
        """What a person's answer opens; good once.

        Raises:
            Rejected: The grant is not good, or too many programs may read already.
            Transient: Auth or its database does not answer; the grant may be spent, and the person starts again.
        """
        try:
            brought = wire.Grant(grant=grant, return_to=return_to)
        except ValidationError:
            raise Rejected("This grant is none of ours.", code="mcp_grant") from None
        opened = await self._post("consents/redeem", brought, wire.Consent)
        return Consented(opened.workspace, opened.consent)

    async def consent_stands(self, consented: Consented) -> bool:
        """Whether a program may still read.

        Raises:
            Transient: Auth or its database does not answer.
        """
        return answer_as(await self._consent("stands", consented), wire.Standing).stands

    async def end_consent(self, consented: Consented) -> None:
        """A program wants to read no more.

        Raises:
            Transient: Auth or its database does not answer.
        """
        await self._consent("end", consented)

    async def visitor(self, session: str) -> UUID:
        """The workspace that a browser's session opens.

        Raises:
            Rejected: `no_session`.
            Transient: Auth or its database does not answer.
        """
        try:
            visit = wire.Visit(session=session)
        except ValidationError:
            raise Rejected(
                "You are not signed in. Open the sign-in link that Well gave you.", code="no_session"
            ) from None
        return (await self._post("visitors", visit, wire.Workspace)).workspace

    async def _consent(self, what: str, consented: Consented) -> bytes:
        named = wire.Consent(workspace=consented.workspace, consent=consented.consent)
        return await self._ask("POST", f"consents/{what}", named, workspace=consented.workspace)

    async def _list(self, path: str) -> tuple[UUID, ...]:
        now = self.clock.now()
        since, listed = self._listed.get(path, (None, ()))
        if since is None or not is_within(LISTED_FOR, since=since, now=now):
            listed = (await self._get(path, wire.Listed)).workspaces
            self._listed[path] = (now, listed)
        return listed

    async def _get(self, path: str, form: type[Answer]) -> Answer:
        return answer_as(await self._ask("GET", path), form)

    async def _post(self, path: str, body: Published, form: type[Answer]) -> Answer:
        return answer_as(await self._ask("POST", path, body), form)

    async def _tokens(self, what: str, provider: Provider, body: wire.Workspace | wire.RefusedToken) -> bytes:
        return await self._ask("POST", f"tokens/{provider}/{what}", body, workspace=body.workspace)

    async def _ask(
        self, method: str, path: str, body: Published | None = None, *, workspace: UUID | None = None
    ) -> bytes:
        """One call, with a token for it alone: of this service, about this workspace or none."""
        now, nonce = self.clock.now(), secrets.token_urlsafe(16)
        token = minted(self.service, workspace, secret=self.secret, now=now, nonce=nonce)
        return await answered(self.http, method, f"{self.url}{wire.PREFIX}/{path}", bearer=token, body=body)
