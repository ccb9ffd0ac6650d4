"""How a process stands, for probes, operators and programs. Counts, names and sentences; never a customer's words.

```
GET /livez    200, or 503 with what only a new start helps
GET /readyz   200, or 503 with what holds it up, a line each: something it needs, or what fails on and on
GET /status   checks, groups with their positions, workers, budgets, version. What cannot be known says why
GET /metrics  the same figures in Prometheus' text form
```

The same over gRPC is in `libs/runtime/health_grpc.py`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict, dataclass
from http import HTTPStatus
from typing import Final

import orjson
from aiohttp import web
from prometheus_client import CollectorRegistry, generate_latest

from libs.runtime.health import Health


@dataclass(frozen=True)
class Answer:
    """What a path answers, whatever serves it."""

    text: str
    status: int = HTTPStatus.OK
    content_type: str = "text/plain"


async def livez(health: Health) -> Answer:
    """Whether the process lives."""
    return _lines(health.dead(), "alive")


async def readyz(health: Health) -> Answer:
    """Whether it can be given work."""
    return _lines((await health.standing(with_positions=False)).held_up, "ready")


async def status(health: Health) -> Answer:
    """How it stands."""
    told = orjson.dumps(asdict(await health.standing()), option=orjson.OPT_INDENT_2 | orjson.OPT_NON_STR_KEYS)
    return Answer(told.decode(), content_type="application/json")


async def metrics(health: Health) -> Answer:
    """Its figures."""
    registry = CollectorRegistry()
    health.count(registry, await health.standing(with_positions=False))
    return Answer(generate_latest(registry).decode())


ANSWERS: Final = {"/livez": livez, "/readyz": readyz, "/status": status, "/metrics": metrics}
"""What is answered, by path."""


def health_routes(health: Health, answers: Mapping[str, Callable[[Health], Awaitable[Answer]]]) -> list[web.RouteDef]:
    """Some of `ANSWERS`, for an aiohttp application."""

    def route(path: str, answer: Callable[[Health], Awaitable[Answer]]) -> web.RouteDef:
        async def handler(_: web.Request) -> web.Response:
            told = await answer(health)
            return web.Response(text=told.text, status=told.status, content_type=told.content_type)

        return web.get(path, handler)

    return [route(path, answer) for path, answer in answers.items()]


def _lines(problems: Mapping[str, str], well: str) -> Answer:
    if not problems:
        return Answer(f"{well}\n")
    text = "".join(f"{name}: {sentence}\n" for name, sentence in problems.items())
    return Answer(text, HTTPStatus.SERVICE_UNAVAILABLE)
