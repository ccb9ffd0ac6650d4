"""How a process stands, over gRPC: `grpc.health.v1` for probes, `well.status.v1.Status` for programs.

Source: github.com/grpc/grpc, doc/health-checking.md.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

import grpc
import grpc.aio
from grpc_health.v1 import health as grpc_health
from grpc_health.v1 import health_pb2, health_pb2_grpc

from libs.contracts.errors import Rejected
from libs.runtime.health import Health
from libs.runtime.proto import status_pb2
from libs.runtime.standing import Standing

SERVICE: Final = "well.status.v1.Status"

LOOK_SECONDS: Final = 1.0
"""Seconds between looks whether the process is ready; probes ask every five to ten."""

CALLS_AT_ONCE: Final = 16
"""Calls at once: some probes and a person or two. Each may ask Postgres."""

STOP_SECONDS: Final = 1.0
"""Seconds that calls under way have when the server stops; each takes milliseconds."""


@asynccontextmanager
async def serving_grpc(address: str, health: Health) -> AsyncIterator[int]:
    """Serve on `host:port` as long as the block lasts; gives the port, which is another one when it was 0.

    When the block ends, health first says that the process is not serving.

    Raises:
        Rejected: `listen` when nothing can be bound there.
    """
    server = grpc.aio.server(maximum_concurrent_rpcs=CALLS_AT_ONCE, options=[("grpc.so_reuseport", 0)])
    probe = grpc_health.aio.HealthServicer()
    health_pb2_grpc.add_HealthServicer_to_server(probe, server)
    server.add_generic_rpc_handlers((_status_handler(health),))
    try:
        port = server.add_insecure_port(address)
    except RuntimeError as error:
        raise Rejected(f"Nothing can listen on {address}.", code="listen") from error
    await _say(probe, ready=False, service=health.service)
    await server.start()
    looking = asyncio.create_task(_keep_saying(probe, health))
    try:
        yield port
    finally:
        looking.cancel()
        await asyncio.wait({looking})
        await probe.enter_graceful_shutdown()
        await server.stop(STOP_SECONDS)


async def _keep_saying(probe: Any, health: Health) -> None:  # noqa: ANN401 the package ships no types
    while True:
        standing = await health.standing(with_positions=False)
        await _say(probe, ready=not standing.held_up and not health.dead(), service=health.service)
        await asyncio.sleep(LOOK_SECONDS)


async def _say(probe: Any, *, ready: bool, service: str) -> None:  # noqa: ANN401 the package ships no types
    serving = health_pb2.HealthCheckResponse.SERVING if ready else health_pb2.HealthCheckResponse.NOT_SERVING
    for name in ("", service, SERVICE):
        await probe.set(name, serving)


def _status_handler(health: Health) -> grpc.GenericRpcHandler:
    async def get(_: status_pb2.GetRequest, __: object) -> status_pb2.Standing:
        return told(await health.standing())

    method = grpc.unary_unary_rpc_method_handler(
        get,
        request_deserializer=status_pb2.GetRequest.FromString,
        response_serializer=status_pb2.Standing.SerializeToString,
    )
    return grpc.method_handlers_generic_handler(SERVICE, {"Get": method})


def told(standing: Standing) -> status_pb2.Standing:
    """A standing as it travels."""
    return status_pb2.Standing(
        service=standing.service,
        version=standing.version,
        ready=not standing.held_up,
        checks=[status_pb2.Check(name=name, problem=problem or "") for name, problem in standing.checks.items()],
        groups=[
            status_pb2.Group(
                name=group.name,
                lag_events=group.lag,
                parked_events=group.parked,
                failures=group.failures,
                last_error=group.sentence or "",
                positions=[
                    status_pb2.Position(topic=topic, sequences=dict(sequences))
                    for topic, sequences in standing.positions.get(group.name, {}).items()
                ],
            )
            for group in standing.groups
        ],
        workers=[
            status_pb2.Worker(
                name=worker.name,
                failures=worker.failures,
                last_error=worker.sentence or "",
                resting_workspaces=worker.resting,
            )
            for worker in standing.workers
        ],
        budgets=[
            status_pb2.Budget(
                provider=budget.provider,
                accounts=budget.accounts,
                least_left_today=max(0, budget.least_left_today),
                closed_accounts=budget.closed,
            )
            for budget in standing.budgets
        ],
    )
