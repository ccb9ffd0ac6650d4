"""How the process stands, for probes, operators and the live view. Counts and states only, never a customer's words.

```
GET /livez    200 while the process answers
GET /readyz   200, or 503 with what holds it up, a line each: Postgres, a consumer or a worker that fails on and on
GET /status   every group and worker; with a session, the session's own workspace too. What cannot be known says why
GET /metrics  the same figures in Prometheus' text form, summed over all workspaces
```
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

import orjson
from aiohttp import web
from prometheus_client import CollectorRegistry, Gauge, generate_latest

from libs.bus.embedded import Consumer
from libs.contracts.errors import Rejected, WellError
from libs.runtime.worker import Worker

if TYPE_CHECKING:
    from well.wiring import Services

_JSON: Final = "application/json"

UNREADY_FAILURES: Final = 6
"""Failures in a row, some ten seconds, after which a consumer or worker counts as held up: a lost race or a provider's
hiccup is over by then, and nothing should be sent here that would wait behind it."""

PART_SECONDS: Final = 3.0
"""Seconds for one part of an answer. Probes commonly give up after five, and a count takes milliseconds."""

POSTGRES_AWAY: Final = "Postgres does not answer."

Part = Callable[[], Awaitable[Any]]


class Status:
    """Asks every service how it stands.

    Args:
        workspaces: Every workspace there is.
        postgres: Whether Postgres answers; it may take its time.
        services: Who is asked.
        consumers: Every consumer of the process.
        workers: Every worker of the process.
    """

    def __init__(
        self,
        workspaces: Callable[[], Awaitable[Sequence[UUID]]],
        postgres: Callable[[], Awaitable[object]],
        services: Services,
        consumers: Sequence[Consumer],
        workers: Sequence[Worker],
    ) -> None:
        self._workspaces = workspaces
        self._postgres = postgres
        self._services = services
        self._consumers = consumers
        self._workers = workers

    async def of(self, workspace: UUID) -> dict[str, Any]:
        """One workspace: what was pulled, decided, posted, and what waits.

        Raises:
            Transient: Postgres does not answer.
            Malformed: A row of the workspace cannot be read.
        """
        return {name: await part() for name, part in self._parts(workspace).items()}

    def groups(self) -> list[dict[str, Any]]:
        """Every consumer group and worker of this process."""
        groups = [
            {
                "name": consumer.subscription.group,
                "failures": consumer.failures,
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

    async def held_up(self) -> dict[str, str]:
        """What keeps the process from its work, by name, each with a sentence; empty when it is ready."""
        stuck = {
            group["name"]: group["sentence"] or "It fails again and again."
            for group in self.groups()
            if group["failures"] >= UNREADY_FAILURES
        }
        return stuck if await self._postgres_answers() else {"postgres": POSTGRES_AWAY, **stuck}

    async def whole(self, workspace_of: Callable[[], Awaitable[UUID]]) -> dict[str, Any]:
        """The process, and the workspace of whoever asks. A part that cannot be known is a `sentence` that says why."""
        answers = await self._postgres_answers()
        known: dict[str, Any] = {"groups": self.groups(), "postgres": {"sentence": None if answers else POSTGRES_AWAY}}
        if not answers:
            return {**known, "workspaces": {"sentence": POSTGRES_AWAY}}
        try:
            workspace = await workspace_of()
        except Rejected:
            return {**known, "workspaces": {"sentence": "Sign in to see how your workspace stands."}}
        parts = {name: await _known(part) for name, part in self._parts(workspace).items()}
        return {**known, "workspaces": {str(workspace): parts}}

    async def metrics(self) -> bytes:
        """The same figures in Prometheus' text form, without those of workspaces while Postgres does not answer."""
        registry = CollectorRegistry()
        lag = Gauge("well_consumer_lag_events", "Events behind the newest, wanted or not", ["group"], registry=registry)
        parked = Gauge("well_consumer_parked_events", "Events parked since start", ["group"], registry=registry)
        failures = Gauge("well_worker_failures", "Failures in a row", ["worker"], registry=registry)
        resting = Gauge("well_worker_resting_workspaces", "Workspaces that rest", ["worker"], registry=registry)
        answers = Gauge("well_postgres_answers", "1 while Postgres answers, else 0", registry=registry)
        for consumer in self._consumers:
            lag.labels(consumer.subscription.group).set(consumer.lag)
            parked.labels(consumer.subscription.group).set(consumer.parked)
        for worker in self._workers:
            failures.labels(worker.name).set(worker.failures)
            resting.labels(worker.name).set(len(worker.rounds.resting) if worker.rounds else 0)
        if await self._postgres_answers():
            answers.set(1)
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

    async def _postgres_answers(self) -> bool:
        return "sentence" not in await _known(self._asked)

    async def _asked(self) -> dict[str, bool]:
        await self._postgres()
        return {"answers": True}


async def _known(part: Part) -> Any:  # noqa: ANN401 - parts are of many shapes
    """A part, or the sentence why it is not known."""
    try:
        async with asyncio.timeout(PART_SECONDS):
            return await part()
    except WellError as error:
        return {"sentence": error.sentence}
    except TimeoutError:
        return {"sentence": f"It was not known within {PART_SECONDS:.0f} seconds."}


def status_routes(status: Status, workspace_of: Callable[[web.Request], Awaitable[UUID]]) -> list[web.RouteDef]:
    """`/livez`, `/readyz`, `/status`, `/metrics`.

    Args:
        status: What is told.
        workspace_of: The workspace of a browser's session; raises Rejected when it has none.
    """

    async def alive(_: web.Request) -> web.Response:
        return web.Response(text="alive\n")

    async def ready(_: web.Request) -> web.Response:
        held_up = await status.held_up()
        if not held_up:
            return web.Response(text="ready\n")
        lines = [f"{name}: {sentence}\n" for name, sentence in held_up.items()]
        return web.Response(text="".join(lines), status=HTTPStatus.SERVICE_UNAVAILABLE)

    async def whole(request: web.Request) -> web.Response:
        known = await status.whole(lambda: workspace_of(request))
        return web.Response(body=orjson.dumps(known, option=orjson.OPT_INDENT_2), content_type=_JSON)

    async def metrics(_: web.Request) -> web.Response:
        return web.Response(body=await status.metrics(), content_type="text/plain", charset="utf-8")

    return [
        web.get("/livez", alive),
        web.get("/readyz", ready),
        web.get("/status", whole),
        web.get("/metrics", metrics),
    ]
