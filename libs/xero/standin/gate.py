"""What every request passes before it is answered: token, scope, organisation, budget, and the faults on order."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Final

from aiohttp import web

from libs.runtime.clock import Clock
from libs.xero.dates import EPOCH
from libs.xero.standin import answers
from libs.xero.standin.accounting import SCOPES, TENANT_HEADER, needs_json
from libs.xero.standin.budgets import Budgets
from libs.xero.standin.faults import Fault, Faults
from libs.xero.standin.grants import Grants
from libs.xero.standin.identity import bearer
from libs.xero.standin.settings import Limits, SettingsStore

CONTROL_PATH: Final = "/_standin/"

HELD_SECONDS: Final = 300.0
"""Seconds a `timeout` holds a request before it drops it: longer than any caller of ours waits."""

FAULT_RETRY_SECONDS: Final = 60
"""Seconds a 429 on order asks to wait unless the order says otherwise: the length of Xero's minute."""

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Gate:
    """Counts every call, and lets in those that Xero would let in."""

    def __init__(self, grants: Grants, settings: SettingsStore, budgets: Budgets, faults: Faults, clock: Clock) -> None:
        self._grants = grants
        self._settings = settings
        self._budgets = budgets
        self._faults = faults
        self._clock = clock
        self.calls: Counter[str] = Counter()

    @web.middleware
    async def middleware(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Every request comes through here; the control's own are neither counted nor refused."""
        if request.path.startswith(CONTROL_PATH):
            return await handler(request)
        template = _template(request)
        outcome = "unanswered"
        try:
            response = await self._answer(request, handler, template)
            outcome = "unanswered" if _is_gone(request) else str(response.status)
        except web.HTTPException as refused:
            outcome = str(refused.status)
            raise
        finally:
            self.calls[f"{request.method} {template} {outcome}"] += 1
        return response

    async def _answer(self, request: web.Request, handler: Handler, template: str) -> web.StreamResponse:
        if template not in SCOPES:
            return await self._with_faults(request, handler, template)
        response = await self._api(request, handler, template)
        tenant_id = request.headers.get(TENANT_HEADER, "")
        response.headers.update(self._budgets.headers(tenant_id, self._settings.get(Limits), self._seconds()))
        return response

    async def _api(self, request: web.Request, handler: Handler, template: str) -> web.StreamResponse:
        access = self._grants.access(bearer(request))
        if access is None:
            return answers.unauthorized()
        tenant_id = request.headers.get(TENANT_HEADER, "")
        if not self._grants.may_read(access.user_id, tenant_id):
            return answers.problem(HTTPStatus.FORBIDDEN, "Forbidden", "AuthenticationUnsuccessful")
        if SCOPES[template] not in access.scopes:
            return answers.unauthorized(scope_missing=True)
        if needs_json(template) and "application/json" not in request.headers.get("Accept", ""):
            return answers.xml_refusal("Ask with Accept: application/json.")
        exceeded = self._budgets.enter(tenant_id, self._settings.get(Limits), self._seconds())
        if exceeded is not None:
            return _too_many(exceeded.problem, exceeded.retry_after_seconds)
        try:
            return await self._with_faults(request, handler, template)
        finally:
            self._budgets.leave(tenant_id)

    async def _with_faults(self, request: web.Request, handler: Handler, template: str) -> web.StreamResponse:
        fault = self._faults.next_for(request.method, request.path, template)
        if fault is None:
            return await handler(request)
        if fault.kind == "lost":
            await handler(request)
            return _dropped(request)
        if fault.kind == "timeout":
            await asyncio.sleep(HELD_SECONDS)
            return _dropped(request)
        return _failed(fault, is_grant=request.path.startswith("/connect/"))

    def _seconds(self) -> float:
        return (self._clock.now() - EPOCH).total_seconds()


def _failed(fault: Fault, *, is_grant: bool) -> web.Response:
    if fault.kind == "429":
        return _too_many("minute", FAULT_RETRY_SECONDS if fault.retry_after is None else fault.retry_after)
    if fault.kind == "revoked":
        return answers.as_json({"error": "invalid_grant"}, status=400) if is_grant else answers.unauthorized()
    if fault.kind == "html":
        return web.Response(text="<html><body>Xero is having a rest.</body></html>", content_type="text/html")
    headers = {} if fault.retry_after is None else {"Retry-After": str(fault.retry_after)}
    title = "The organisation is offline" if fault.kind == "503" else "An error occurred"
    return answers.problem(int(fault.kind), title, title, headers)


def _too_many(problem: str, retry_after_seconds: int | None) -> web.Response:
    wait = {} if retry_after_seconds is None else {"Retry-After": str(retry_after_seconds)}
    headers = {"X-Rate-Limit-Problem": problem, **wait}
    return answers.problem(HTTPStatus.TOO_MANY_REQUESTS, "Too Many Requests", "RateLimitExceeded", headers)


def _is_gone(request: web.Request) -> bool:
    return request.transport is None or request.transport.is_closing()


def _dropped(request: web.Request) -> web.Response:
    """The connection is gone; what is returned reaches nobody."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=HTTPStatus.NO_CONTENT)


def _template(request: web.Request) -> str:
    resource = request.match_info.route.resource
    if resource is not None:
        return resource.canonical
    return request.path if request.path in SCOPES else "unknown"
