"""The control of the stand-in under `/_standin/`: JSON, for tests and the demo, open to everybody who reaches it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import orjson
from aiohttp import web
from pydantic import ValidationError

from libs.runtime.clock import ShiftedClock
from libs.xero.endpoints import READ_SCOPES
from libs.xero.standin import exact_json
from libs.xero.standin.answers import as_json
from libs.xero.standin.attachments import GIVEN, Attachments
from libs.xero.standin.budgets import Budgets
from libs.xero.standin.faults import Fault, Faults
from libs.xero.standin.gate import CONTROL_PATH, Gate
from libs.xero.standin.grants import Grants
from libs.xero.standin.holdings import Holdings
from libs.xero.standin.identity import user_of
from libs.xero.standin.kinds import CONTACTS, INVOICES, Body, Kind
from libs.xero.standin.selection import PAGE_SIZE_DEFAULT, PAGE_SIZE_MAX, Selection
from libs.xero.standin.settings import ClockShift, Limits, Settings, SettingsStore
from libs.xero.standin.store import Store

Handler = Callable[[web.Request], Awaitable[web.Response]]


@dataclass(frozen=True)
class Control:
    """What can be asked and told; each path says in a sentence what it does."""

    store: Store
    holdings: Holdings
    attachments: Attachments
    grants: Grants
    settings: SettingsStore
    budgets: Budgets
    faults: Faults
    gate: Gate
    clock: ShiftedClock

    def paths(self) -> dict[tuple[str, str], tuple[Handler, str]]:
        """Method and path below `/_standin/`, with what answers them and the sentence."""
        return {
            ("GET", ""): (self._index, "This list."),
            ("GET", "holdings"): (self._holdings_get, "Counts of what each organisation holds."),
            ("GET", "invoices"): (self._invoices, "The invoices held: ?tenant=&page=&page_size=."),
            ("GET", "contacts"): (self._contacts, "The contacts held: ?tenant=&page=&page_size=."),
            ("GET", "calls"): (self._calls, "How many calls came, by 'METHOD /path/template status'."),
            ("GET", "faults"): (self._faults_get, "The faults that are still to come."),
            ("POST", "faults"): (self._faults_post, "Order one: {method, path, kind, times, after, retry_after}."),
            ("DELETE", "faults"): (self._faults_delete, "Cancel all faults."),
            ("POST", "organisations"): (self._organisations, "Make or rename one: {tenant_id, name, organisation?}."),
            ("POST", "records"): (self._records, "Upsert by id: {tenant_id, contacts, invoices, attachments}."),
            ("POST", "tokens"): (self._tokens, "Tokens without a consent page: {tenant_id, scope?}."),
            ("GET", "clock"): (self._clock_get, "What time it is here."),
            ("POST", "clock"): (self._clock_post, "Move time forward: {advance_seconds}."),
            ("GET", "limits"): (self._limits_get, "The limits."),
            ("POST", "limits"): (self._limits_post, "Change limits: {minute, day, concurrent, app_minute}."),
            ("GET", "settings"): (self._settings_get, "The settings."),
            ("POST", "settings"): (
                self._settings_post,
                "Change settings: {consent: page|auto, tenant_id, besides, user}.",
            ),
            ("POST", "revoke"): (self._revoke, "All tokens for an organisation die: {tenant_id}."),
            ("POST", "reset"): (self._reset, "Forget everything but the time."),
        }

    def routes(self) -> list[web.RouteDef]:
        """The paths under `/_standin/`."""
        return [
            web.route(method, CONTROL_PATH + path, _guarded(handler))
            for (method, path), (handler, _) in self.paths().items()
        ]

    async def _index(self, _: web.Request) -> web.Response:
        return as_json({f"{method} {CONTROL_PATH}{path}": says for (method, path), (_, says) in self.paths().items()})

    async def _holdings_get(self, _: web.Request) -> web.Response:
        return as_json({"tenants": self.holdings.counts()})

    async def _invoices(self, request: web.Request) -> web.Response:
        return self._held(INVOICES, request)

    async def _contacts(self, request: web.Request) -> web.Response:
        return self._held(CONTACTS, request)

    def _held(self, kind: Kind, request: web.Request) -> web.Response:
        tenant_id = self._known(request.query.get("tenant"))
        page = max(1, int(request.query.get("page", "1")))
        size = min(max(1, int(request.query.get("page_size", str(PAGE_SIZE_DEFAULT)))), PAGE_SIZE_MAX)
        everything = Selection((), (), newest_first=False, page=page, page_size=size, summary_only=False)
        records = [orjson.Fragment(body) for body in self.holdings.page(kind, tenant_id, everything)]
        total = self.holdings.how_many(kind, tenant_id, everything)
        return as_json({"records": records, "page": page, "page_size": size, "total": total})

    async def _calls(self, _: web.Request) -> web.Response:
        return as_json(dict(sorted(self.gate.calls.items())))

    async def _faults_get(self, _: web.Request) -> web.Response:
        return as_json({"faults": self.faults.waiting()})

    async def _faults_post(self, request: web.Request) -> web.Response:
        self.faults.order(Fault.model_validate(await _told(request)))
        return as_json({"faults": self.faults.waiting()})

    async def _faults_delete(self, _: web.Request) -> web.Response:
        self.faults.forget()
        return as_json({"faults": []})

    async def _organisations(self, request: web.Request) -> web.Response:
        told = await _told(request)
        tenant_id, name = _text(told, "tenant_id"), _text(told, "name")
        given = told.get("organisation", {})
        if not isinstance(given, dict):
            raise ValueError("organisation is an object")  # noqa: TRY004 - the caller gave a wrong value
        self.holdings.put_organisation(tenant_id, name, given)
        return as_json({"tenant_id": tenant_id, "name": name})

    async def _records(self, request: web.Request) -> web.Response:
        told = await _told(request)
        tenant_id = self._known(told.get("tenant_id"))
        contacts, invoices = _objects(told, "contacts"), _objects(told, "invoices")
        attachments = GIVEN.validate_python(told.get("attachments", []))
        now = self.clock.now()
        with self.store.transaction():
            self.holdings.put(CONTACTS, tenant_id, contacts, now)
            self.holdings.put(INVOICES, tenant_id, invoices, now)
            self.attachments.put(tenant_id, attachments)
        return as_json({"contacts": len(contacts), "invoices": len(invoices), "attachments": len(attachments)})

    async def _tokens(self, request: web.Request) -> web.Response:
        told = await _told(request)
        tenant_id, scope = self._known(told.get("tenant_id")), _text({"scope": " ".join(READ_SCOPES), **told}, "scope")
        user_id = user_of(tenant_id, self.settings.get(Settings))
        code = self.grants.consent(user_id, [tenant_id], scope, redirect_uri="", challenge=None)
        return as_json(self.grants.exchange(code, redirect_uri="", verifier=None))

    async def _clock_get(self, _: web.Request) -> web.Response:
        return as_json({"now": self.clock.now().isoformat()})

    async def _clock_post(self, request: web.Request) -> web.Response:
        step = ClockShift.model_validate(await _told(request)).advance_seconds
        before = self.settings.get(ClockShift).advance_seconds
        self.settings.put(ClockShift(advance_seconds=before + step))
        self.clock.advance(step)
        return as_json({"now": self.clock.now().isoformat()})

    async def _limits_get(self, _: web.Request) -> web.Response:
        return as_json(self.settings.get(Limits).model_dump())

    async def _settings_get(self, _: web.Request) -> web.Response:
        return as_json(self.settings.get(Settings).model_dump())

    async def _limits_post(self, request: web.Request) -> web.Response:
        return as_json(self.settings.change(Limits, await _told(request)).model_dump())

    async def _settings_post(self, request: web.Request) -> web.Response:
        return as_json(self.settings.change(Settings, await _told(request)).model_dump())

    async def _revoke(self, request: web.Request) -> web.Response:
        self.grants.revoke_organisation(self._known((await _told(request)).get("tenant_id")))
        return as_json({})

    async def _reset(self, _: web.Request) -> web.Response:
        shift = self.settings.get(ClockShift)
        self.store.empty()
        self.settings.put(shift)
        self.faults.forget()
        self.budgets.forget()
        self.gate.calls.clear()
        return as_json({})

    def _known(self, tenant_id: object) -> str:
        if not isinstance(tenant_id, str) or self.holdings.organisation(tenant_id) is None:
            raise ValueError("tenant_id (or ?tenant=) names no organisation; POST it to /_standin/organisations first")
        return tenant_id


def _guarded(handler: Handler) -> Handler:
    async def answer(request: web.Request) -> web.Response:
        try:
            return await handler(request)
        except ValidationError as refused:
            return as_json({"error": refused.errors(include_url=False, include_context=False)}, status=400)
        except ValueError as refused:
            return as_json({"error": str(refused)}, status=400)

    return answer


async def _told(request: web.Request) -> Body:
    told: Any = exact_json.loads(await request.read())
    if not isinstance(told, dict):
        raise ValueError("the body is a JSON object")  # noqa: TRY004 - the caller gave a wrong value
    return told


def _text(told: Body, key: str) -> str:
    value = told.get(key)
    if not isinstance(value, str) or not value:
        raise ValueError(f"{key} is text")
    return value


def _objects(told: Body, key: str) -> list[Body]:
    values = told.get(key, [])
    if not isinstance(values, list) or not all(isinstance(value, dict) for value in values):
        raise ValueError(f"{key} is a list of objects")
    return values
