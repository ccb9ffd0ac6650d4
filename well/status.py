"""How the process stands that does everything: what every process tells, and the workspace of whoever asks."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

import orjson
from aiohttp import web
from prometheus_client import CollectorRegistry, Gauge, generate_latest

from libs.contracts.errors import Rejected
from libs.runtime.health import Health, Unknown, known
from libs.runtime.health_http import ANSWERS, health_routes
from libs.runtime.standing import GroupStanding, WorkerStanding

if TYPE_CHECKING:
    from well.wiring import Services

_JSON: Final = "application/json"

Part = Callable[[], Awaitable[Any]]


class Status:
    """Asks every service how it stands.

    Args:
        health: How the process stands.
        workspaces: Every workspace there is.
        services: Who is asked.
    """

    def __init__(self, health: Health, workspaces: Callable[[], Awaitable[Sequence[UUID]]], services: Services) -> None:
        self.health = health
        self._workspaces = workspaces
        self._services = services

    async def of(self, workspace: UUID) -> dict[str, Any]:
        """One workspace: what was pulled, decided, posted, and what waits.

        Raises:
            Transient: Postgres does not answer.
            Malformed: A row of the workspace cannot be read.
        """
        return {name: await part() for name, part in self._parts(workspace).items()}

    def at_work(self) -> Sequence[GroupStanding | WorkerStanding]:
        """Every consumer group and worker of this process."""
        return (*self.health.groups(), *self.health.workers())

    @property
    def lags(self) -> bool:
        """Whether a group is behind."""
        return any(group.lag for group in self.health.groups())

    async def whole(self, workspace_of: Callable[[], Awaitable[UUID]]) -> dict[str, Any]:
        """The process, and the workspace of whoever asks. A part that cannot be known is a `sentence` that says why."""
        standing = await self.health.standing()
        told = asdict(standing)
        away = next((problem for problem in standing.checks.values() if problem), None)
        if away is not None:
            return {**told, "workspaces": {"sentence": away}}
        try:
            workspace = await workspace_of()
        except Rejected:
            return {**told, "workspaces": {"sentence": "Sign in to see how your workspace stands."}}
        parts = {name: _told(await known(part())) for name, part in self._parts(workspace).items()}
        return {**told, "workspaces": {str(workspace): parts}}

    async def metrics(self) -> bytes:
        """The same figures in Prometheus' text form, without those of workspaces while something is not there."""
        registry = CollectorRegistry()
        standing = await self.health.standing(with_positions=False)
        self.health.count(registry, standing)
        if not any(standing.checks.values()):
            await self._count(registry)
        return generate_latest(registry)

    async def _count(self, registry: CollectorRegistry) -> None:
        bills = Gauge("well_bills", "Bills by standing verdict", ["verdict"], registry=registry)
        postings = Gauge("well_postings", "Postings by state", ["state"], registry=registry)
        waits = Gauge("well_bills_waiting_for_a_person", "Bills that wait for a sign-off", registry=registry)
        services = self._services
        for workspace in await self._workspaces():
            for verdict, count in (await services.matcher.counts(workspace)).items():
                bills.labels(verdict).inc(count)
            for state, count in (await services.pusher.counts(workspace)).items():
                postings.labels(state).inc(count)
            waits.inc(await services.console.queue.count_waiting(workspace))

    def _parts(self, workspace: UUID) -> dict[str, Part]:
        services = self._services

        async def connections() -> dict[str, str]:
            state = services.auth.connection_state
            return {"xero": await state(workspace, "xero"), "qonto": await state(workspace, "qonto")}

        async def pulls() -> dict[str, Any]:
            standing = await services.ingest.status(workspace)
            return {provider: asdict(pull) for provider, pull in standing.pulls.items()}

        async def documents() -> dict[str, int]:
            return dict((await services.ingest.status(workspace)).documents)

        async def decisions() -> dict[str, int]:
            return dict(await services.matcher.counts(workspace))

        async def postings() -> dict[str, int]:
            return dict(await services.pusher.counts(workspace))

        async def waits() -> int:
            return await services.console.queue.count_waiting(workspace)

        return {
            "connections": connections,
            "pulls": pulls,
            "documents": documents,
            "decisions": decisions,
            "postings": postings,
            "waits_for_a_person": waits,
        }


def _told(part: object) -> object:
    return {"sentence": part.sentence} if isinstance(part, Unknown) else part


def status_routes(status: Status, workspace_of: Callable[[web.Request], Awaitable[UUID]]) -> list[web.RouteDef]:
    """`/livez`, `/readyz`, `/status`, `/metrics`.

    Args:
        status: What is told.
        workspace_of: The workspace of a browser's session; raises Rejected when it has none.
    """

    async def whole(request: web.Request) -> web.Response:
        told: Mapping[str, Any] = await status.whole(lambda: workspace_of(request))
        body = orjson.dumps(told, option=orjson.OPT_INDENT_2 | orjson.OPT_NON_STR_KEYS)
        return web.Response(body=body, content_type=_JSON)

    async def metrics(_: web.Request) -> web.Response:
        return web.Response(body=await status.metrics(), content_type="text/plain", charset="utf-8")

    probes = {path: ANSWERS[path] for path in ("/livez", "/readyz")}
    return [*health_routes(status.health, probes), web.get("/status", whole), web.get("/metrics", metrics)]
