"""How the process stands, for probes, operators and the live view. Counts and states only, never a customer's words."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

import orjson
from aiohttp import web
from prometheus_client import CollectorRegistry, Gauge, generate_latest

from libs.bus.embedded import Consumer
from libs.runtime.worker import Worker

if TYPE_CHECKING:
    from well.wiring import Services

_JSON: Final = "application/json"


class Status:
    """Asks every service how it stands."""

    def __init__(
        self,
        workspaces: Callable[[], Awaitable[Sequence[UUID]]],
        services: Services,
        consumers: Sequence[Consumer],
        workers: Sequence[Worker],
    ) -> None:
        self._workspaces = workspaces
        self._services = services
        self._consumers = consumers
        self._workers = workers

    async def of(self, workspace: UUID) -> dict[str, Any]:
        """One workspace: what was pulled, decided, posted, and what waits."""
        services = self._services
        ingest = await services.ingest.status(workspace)
        return {
            "connections": {
                "xero": await services.auth.connection_state(workspace, "xero"),
                "qonto": await services.auth.connection_state(workspace, "qonto"),
            },
            "pulls": {provider: asdict(pull) for provider, pull in ingest.pulls.items()},
            "documents": dict(ingest.documents),
            "decisions": dict(await services.matcher.counts(workspace)),
            "postings": dict(await services.pusher.counts(workspace)),
            "waits_for_a_person": await services.console.queue.count_waiting(workspace),
        }

    def groups(self) -> list[dict[str, Any]]:
        """Every consumer group and worker of this process."""
        groups = [
            {
                "name": consumer.subscription.group,
                "lag": consumer.lag,
                "parked": consumer.parked,
                "sentence": consumer.last_sentence,
            }
            for consumer in self._consumers
        ]
        workers = [
            {
                "name": worker.name,
                "failures": worker.failures,
                "sentence": worker.last_sentence,
                "resting": len(worker.rounds.resting) if worker.rounds else 0,
            }
            for worker in self._workers
        ]
        return groups + workers

    async def whole(self) -> dict[str, Any]:
        """The process and every workspace in it."""
        workspaces = {str(workspace): await self.of(workspace) for workspace in await self._workspaces()}
        return {"groups": self.groups(), "workspaces": workspaces}

    async def metrics(self) -> bytes:
        """The same figures in Prometheus' text form."""
        registry = CollectorRegistry()
        lag = Gauge("well_consumer_lag_events", "Events behind the newest, wanted or not", ["group"], registry=registry)
        parked = Gauge("well_consumer_parked_events", "Events parked since start", ["group"], registry=registry)
        failures = Gauge("well_worker_failures", "Failures in a row", ["worker"], registry=registry)
        bills = Gauge("well_bills", "Bills by standing verdict", ["verdict"], registry=registry)
        postings = Gauge("well_postings", "Postings by state", ["state"], registry=registry)
        waits = Gauge("well_bills_waiting_for_a_person", "Bills that wait for a sign-off", registry=registry)
        for consumer in self._consumers:
            lag.labels(consumer.subscription.group).set(consumer.lag)
            parked.labels(consumer.subscription.group).set(consumer.parked)
        for worker in self._workers:
            failures.labels(worker.name).set(worker.failures)
        for workspace in await self._workspaces():
            standing = await self.of(workspace)
            for verdict, count in standing["decisions"].items():
                bills.labels(verdict).inc(count)
            for state, count in standing["postings"].items():
                postings.labels(state).inc(count)
            waits.inc(standing["waits_for_a_person"])
        return generate_latest(registry)


def status_routes(status: Status) -> list[web.RouteDef]:
    """`/livez`, `/readyz`, `/status`, `/metrics`."""

    async def alive(_: web.Request) -> web.Response:
        return web.Response(text="alive\n")

    async def ready(_: web.Request) -> web.Response:
        stuck = [group["name"] for group in status.groups() if group["sentence"]]
        text = "ready\n" if not stuck else "waiting: " + ", ".join(stuck) + "\n"
        return web.Response(text=text)

    async def whole(_: web.Request) -> web.Response:
        body = orjson.dumps(await status.whole(), option=orjson.OPT_INDENT_2)
        return web.Response(body=body, content_type=_JSON)

    async def metrics(_: web.Request) -> web.Response:
        return web.Response(body=await status.metrics(), content_type="text/plain", charset="utf-8")

    return [
        web.get("/livez", alive),
        web.get("/readyz", ready),
        web.get("/status", whole),
        web.get("/metrics", metrics),
    ]
