"""The stand-in as an aiohttp application: routes, and what happens to every call before and after its handler."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Final

from aiohttp import web

from libs.qonto.standin import (
    attachments,
    bulk,
    control,
    labels,
    listing,
    oauth,
    organizations,
    transactions,
    transitions,
    watch,
)
from libs.qonto.standin.answers import Refusal, envelope, html_answer, object_envelope
from libs.qonto.standin.faults import Fault, refused_by, with_unknown_fields
from libs.qonto.standin.grants import access_row, revoke_organization
from libs.qonto.standin.world import WORLD, World

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

HELD_SECONDS: Final = 60.0
"""Seconds of real time an answer is kept back by a time-out fault; any client gives up before that."""

BODY_MAX_BYTES: Final = 64_000_000
"""Bytes of a body that control reads: tens of thousands of records in one call."""

_LOOK_SECONDS: Final = 0.05
"""Seconds between looks whether whoever waits for an answer kept back has gone."""


def build_app(world: World) -> web.Application:
    """All routes over one world."""
    app = web.Application(middlewares=[at_the_door], client_max_size=BODY_MAX_BYTES)
    app[WORLD] = world
    add = app.router
    add.add_post("/v2/supplier_invoices/bulk", bulk.upload)
    add.add_get("/v2/supplier_invoices", listing.list_invoices)
    add.add_get("/v2/supplier_invoices/{id}", listing.show_invoice)
    add.add_post("/v2/supplier_invoices/{id}/mark_as_paid", transitions.mark_as_paid)
    add.add_post("/v2/supplier_invoices/{id}/unmark_as_paid", transitions.unmark_as_paid)
    add.add_post("/v2/supplier_invoices/{id}/reject", transitions.reject)
    add.add_post("/v2/attachments", attachments.upload)
    add.add_get("/v2/attachments/{id}", attachments.show)
    add.add_get("/files/{id}", attachments.download)
    add.add_get("/v2/transactions", transactions.list_transactions)
    add.add_get("/v2/transactions/{id}", transactions.show_transaction)
    add.add_get("/v2/labels", labels.list_labels)
    add.add_get("/v2/labels/{id}", labels.show_label)
    add.add_get("/v2/organization", organizations.show_organization)
    add.add_get("/v1/organizations/{slug}", organizations.gone)
    add.add_get("/v2/organizations/{slug}", organizations.gone)
    oauth.add_routes(app)
    watch.add_routes(app)
    control.add_routes(app)
    app.on_shutdown.append(_let_go)
    return app


@web.middleware
async def at_the_door(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn refusals into answers; for Qonto's own addresses count the call, and let it through only if it may pass."""
    world = request.app[WORLD]
    if request.path.startswith(watch.PREFIX):
        return await _answered(request, handler)

    async def passed(request: web.Request) -> web.StreamResponse:
        return await _passed(world, request, handler)

    answer = await _answered(request, passed)
    if answer.status == HTTPStatus.UNAUTHORIZED and request.path.startswith("/v2/"):
        world.limits.saw_unauthorized(request.remote or "", world.now().timestamp())
    world.store.run(
        "insert into calls values (?, 1) on conflict (name) do update set count = count + 1",
        f"{request.method} {_template(request)} {answer.status}",
    )
    return answer


async def _passed(world: World, request: web.Request, handler: Handler) -> web.StreamResponse:
    """In this order: the limits of calls, the trouble that was ordered, the gate of the sandbox, the handler."""
    wait = world.limits.wait_seconds(request.remote or "", world.now().timestamp(), world.settings)
    if wait is not None:
        return _too_many(int(wait) + 1 if world.settings.retry_after else None)
    fault = world.faults.next_for(request.method, request.path, _template(request))
    if fault is not None:
        return await _gone_wrong(world, fault, request, handler)
    token = world.settings.staging_token
    if token is not None and request.headers.get("X-Qonto-Staging-Token") != token and request.path != "/oauth2/auth":
        return _onelogin(request)
    return await handler(request)


def _onelogin(request: web.Request) -> web.Response:
    """HTML to who lacks the sandbox's token. Source: docs.qonto.com, sandbox access: 200, or 302 to OneLogin."""
    if request.path.startswith("/v2/"):
        return html_answer("OneLogin", "Sign in to reach the sandbox.")
    return web.Response(status=302, headers={"Location": "https://onelogin.invalid/login"})


async def _answered(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except Refusal as refusal:
        if refusal.status == HTTPStatus.NOT_FOUND:
            return object_envelope(refusal.status, refusal.code, refusal.detail)
        return envelope(refusal.status, refusal.code, refusal.detail, refusal.source)
    except web.HTTPException as error:
        return envelope(error.status, error.reason.lower().replace(" ", "_"), error.reason)


async def _gone_wrong(world: World, fault: Fault, request: web.Request, handler: Handler) -> web.StreamResponse:
    match fault.kind:
        case "timeout_before":
            return await _held(world, request, envelope(500, "internal_server_error", "Timed out"))
        case "timeout_after_commit":
            return await _held(world, request, await _answered(request, handler))
        case "unknown_fields":
            answer = await handler(request)
            return with_unknown_fields(answer) if isinstance(answer, web.Response) else answer
        case "revoked":
            row = access_row(world, request.headers.get("Authorization", ""))
            revoke_organization(world, row["organization_id"])
            return await handler(request)
        case "429":
            return _too_many(fault.retry_after)
        case _:
            return refused_by(fault.kind)


async def _held(world: World, request: web.Request, answer: web.StreamResponse) -> web.StreamResponse:
    """Keep an answer back until the caller has gone, the stand-in closes, or `HELD_SECONDS` are over."""
    for _ in range(round(HELD_SECONDS / _LOOK_SECONDS)):
        if world.closing.is_set() or request.transport is None or request.transport.is_closing():
            break
        await asyncio.sleep(_LOOK_SECONDS)
    return answer


def _too_many(retry_after: int | None) -> web.Response:
    headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
    return envelope(429, "too_many_requests", "Too many requests", headers=headers)


def _template(request: web.Request) -> str:
    resource = request.match_info.route.resource
    return resource.canonical if resource is not None else "(no such path)"


async def _let_go(app: web.Application) -> None:
    app[WORLD].closing.set()
