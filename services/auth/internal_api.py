"""Auth for the other services: what `libs/auth_client/wire.py` lists, for whoever shows a service's token.

One call is for readers of other teams, who show a grant instead: what opens the events of the workspace it is for.

Answers hold tokens and keys: the path is for the network between the services only, and no intermediary may keep one.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Final, TypeVar
from uuid import UUID

import structlog
from aiohttp import web
from pydantic import ValidationError

from libs.auth_client import wire
from libs.contracts.consented import Consented
from libs.contracts.errors import Malformed, Rejected, WellError
from libs.contracts.identity import KeyPurpose, Provider
from libs.contracts.model import Published
from libs.contracts.service_token import ServiceToken
from libs.runtime.clock import Clock
from services.auth.domain.rights import KEYS_OF, Right, caller_of, may
from services.auth.inside import Served

BODY_MAX_BYTES: Final = 16_384
"""Bytes. The largest body is a refused token of 8 kB."""

_HEADERS: Final = {"Cache-Control": "no-store"}

_PROVIDERS: Final[tuple[Provider, ...]] = ("xero", "qonto")

_FOR_READERS: Final = "/opening-keys"

_CALLER: Final = web.RequestKey("caller", ServiceToken)

Form = TypeVar("Form", bound=Published)
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class InternalApi:
    """The handlers.

    Args:
        auth: What is served.
        secrets: The secret of each service that may come.
        clock: The one clock.
    """

    def __init__(self, auth: Served, *, secrets: Mapping[str, bytes], clock: Clock) -> None:
        self._auth = auth
        self._secrets = secrets
        self._clock = clock

    def app(self) -> web.Application:
        """The application, to be mounted at `wire.PREFIX`."""
        app = web.Application(middlewares=[self._known_services_only], client_max_size=BODY_MAX_BYTES)
        app.router.add_post("/tokens/{provider}/lend", self._lend)
        app.router.add_post("/tokens/{provider}/refused", self._refused)
        app.router.add_post("/tokens/{provider}/forbidden", self._forbidden)
        app.router.add_get("/workspaces", self._workspaces)
        app.router.add_get("/erased", self._erased)
        app.router.add_get("/workspaces/{workspace}/connections/{provider}", self._connection)
        app.router.add_get("/workspaces/{workspace}/keys/{purpose}", self._keys)
        app.router.add_post("/consents/ask", self._ask_consent)
        app.router.add_post("/consents/redeem", self._redeem_consent)
        app.router.add_post("/consents/stands", self._consent_stands)
        app.router.add_post("/consents/end", self._end_consent)
        app.router.add_post("/visitors", self._visitor)
        app.router.add_get(_FOR_READERS, self._opening_keys)
        return app

    async def _lend(self, request: web.Request) -> web.Response:
        provider = _provider(request.match_info["provider"])
        workspace = _its(request, (await _body(request, wire.Workspace)).workspace)
        lent = await self._auth.lend(request[_CALLER].service, workspace, provider)
        return _said(wire.Lent(secret=lent.secret, account=lent.account, expires_at=lent.expires_at))

    async def _refused(self, request: web.Request) -> web.Response:
        provider = _borrowed(request)
        refused = await _body(request, wire.RefusedToken)
        await self._auth.refused(_its(request, refused.workspace), provider, refused.secret)
        return web.Response(status=HTTPStatus.NO_CONTENT, headers=_HEADERS)

    async def _forbidden(self, request: web.Request) -> web.Response:
        provider = _borrowed(request)
        await self._auth.forbidden(_its(request, (await _body(request, wire.Workspace)).workspace), provider)
        return web.Response(status=HTTPStatus.NO_CONTENT, headers=_HEADERS)

    async def _workspaces(self, request: web.Request) -> web.Response:
        _demand(request, "list_workspaces")
        connected = request.query.get("connected")
        return _listed(
            await (self._auth.workspaces() if connected is None else self._auth.connected(_provider(connected)))
        )

    async def _erased(self, request: web.Request) -> web.Response:
        _demand(request, "forget_erased")
        return _listed(await self._auth.erased())

    async def _connection(self, request: web.Request) -> web.Response:
        _demand(request, "see_connections")
        provider = _provider(request.match_info["provider"])
        return _said(wire.Connection(state=await self._auth.connection_state(_workspace(request), provider)))

    async def _keys(self, request: web.Request) -> web.Response:
        purpose = _purpose(request.match_info["purpose"])
        _demand(request, KEYS_OF[purpose])
        return _said(wire.keys_told(await self._auth.keys(_workspace(request), purpose)))

    async def _ask_consent(self, request: web.Request) -> web.Response:
        _demand(request, "ask_consent")
        asked = await _body(request, wire.ConsentRequest)
        return _said(wire.Address(url=await self._auth.ask_consent(**asked.model_dump())))

    async def _redeem_consent(self, request: web.Request) -> web.Response:
        _demand(request, "ask_consent")
        brought = await _body(request, wire.Grant)
        consented = await self._auth.redeem_consent(brought.grant, return_to=brought.return_to)
        return _said(wire.Consent(workspace=consented.workspace, consent=consented.consent))

    async def _consent_stands(self, request: web.Request) -> web.Response:
        return _said(wire.Standing(stands=await self._auth.consent_stands(await self._consented(request))))

    async def _end_consent(self, request: web.Request) -> web.Response:
        await self._auth.end_consent(await self._consented(request))
        return web.Response(status=HTTPStatus.NO_CONTENT, headers=_HEADERS)

    async def _consented(self, request: web.Request) -> Consented:
        _demand(request, "ask_consent")
        named = await _body(request, wire.Consent)
        return Consented(_its(request, named.workspace), named.consent)

    async def _visitor(self, request: web.Request) -> web.Response:
        _demand(request, "see_visitors")
        visit = await _body(request, wire.Visit)
        return _said(wire.Workspace(workspace=await self._auth.visitor(visit.session)))

    async def _opening_keys(self, request: web.Request) -> web.Response:
        return _said(wire.opening_keys_told(await self._auth.opening_keys(_shown(request))))

    @web.middleware
    async def _known_services_only(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            if request.path != wire.PREFIX + _FOR_READERS:
                request[_CALLER] = caller_of(_shown(request), secrets=self._secrets, now=self._clock.now())
            return await handler(request)
        except WellError as error:
            failure = wire.failure_of(error)
            structlog.get_logger().info(
                "auth.refused_service",
                service=request[_CALLER].service if _CALLER in request else None,
                path=request.path,
                error=failure.kind,
                code=failure.code,
                why=failure.sentence,
            )
            return _said(failure, wire.STATUS[failure.kind])
        except web.HTTPException as error:
            code = "too_large" if error.status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE else "no_such_path"
            return _said(wire.failure_of(Malformed("Auth has no such call.", code=code)), error.status)


def _shown(request: web.Request) -> str:
    return request.headers.get("Authorization", "").removeprefix("Bearer ")


def _demand(request: web.Request, right: Right) -> None:
    service = request[_CALLER].service
    if not may(service, right):
        raise Rejected(f"The service {service} may not {right.replace('_', ' ')}.", code="not_allowed")


def _borrowed(request: web.Request) -> Provider:
    """The provider whose tokens the service may borrow, if it may."""
    provider = _provider(request.match_info["provider"])
    _demand(request, "borrow_xero" if provider == "xero" else "borrow_qonto")
    return provider


def _provider(named: str) -> Provider:
    for provider in _PROVIDERS:
        if provider == named:
            return provider
    raise Malformed("There is no such provider.", code="provider")


def _listed(workspaces: Sequence[UUID]) -> web.Response:
    if len(workspaces) > wire.WORKSPACES_MAX:
        sentence = f"This list has {len(workspaces)} workspaces, and {wire.WORKSPACES_MAX} at most are served."
        raise Rejected(sentence, code="too_many_workspaces")
    return _said(wire.Listed(workspaces=tuple(workspaces)))


def _purpose(named: str) -> KeyPurpose:
    for purpose in KEYS_OF:
        if purpose == named:
            return purpose
    raise Malformed("There are no keys for such a purpose.", code="purpose")


def _workspace(request: web.Request) -> UUID:
    try:
        return _its(request, UUID(request.match_info["workspace"]))
    except ValueError:
        raise Malformed("A workspace is named by its id.", code="workspace") from None


def _its(request: web.Request, workspace: UUID) -> UUID:
    """A workspace that a call is about, if its token speaks of this one."""
    caller = request[_CALLER]
    if caller.workspace != workspace:
        sentence = f"The token of {caller.service} speaks of another workspace than its call."
        raise Rejected(sentence, code="another_workspace")
    return workspace


async def _body(request: web.Request, form: type[Form]) -> Form:
    try:
        return form.model_validate_json(await request.read())
    except (web.RequestPayloadError, ValidationError):
        raise Malformed(f"The body is no {form.__name__}.", code="body") from None


def _said(answer: Published, status: int = HTTPStatus.OK) -> web.Response:
    return web.Response(
        body=answer.model_dump_json().encode(), status=status, content_type="application/json", headers=_HEADERS
    )
