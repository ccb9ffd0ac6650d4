"""How a process says that it stands: over HTTP, over gRPC, and while it stops."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc.aio
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from grpc_health.v1 import health_pb2, health_pb2_grpc

from libs.bus.carrier import Carrier
from libs.bus.port import Subscription
from libs.contracts.errors import Rejected, Transient
from libs.runtime.health import Check, Health
from libs.runtime.health_grpc import SERVICE, serving_grpc
from libs.runtime.health_http import ANSWERS, health_routes
from libs.runtime.listen import bound_socket, port_of
from libs.runtime.proto import __main__ as proto
from libs.runtime.proto import status_pb2
from libs.runtime.standing import UNREADY_FAILURES, BudgetStanding, GroupStanding
from libs.runtime.worker import Worker
from libs.runtime.working import working
from tests.support.until import until


async def _nothing(*_: object) -> tuple[()]:
    return ()


@dataclass
class Group:
    """A member of a consumer group that stands as it is told to."""

    lag: int = 3
    failures: int = 0
    parked: int = 1
    last_sentence: str | None = None
    dead: str | None = None
    subscription: Subscription = field(
        default_factory=lambda: Subscription("matcher.entities", frozenset({"entity.normalized.v1"}), _nothing)
    )

    async def run(self, stop: asyncio.Event) -> None:
        await stop.wait()


@dataclass
class Process:
    """A process whose parts a test may break."""

    group: Group = field(default_factory=Group)
    away: bool = False

    @property
    def health(self) -> Health:
        """How it stands."""
        carriers: tuple[Carrier, ...] = (self.group,)
        return Health(
            "matcher",
            checks=(Check("postgres", self._ask, "Postgres does not answer."),),
            carriers=carriers,
            workers=(Worker("matcher.decide", self._step, 1.0, failures=1, last_sentence="A race was lost."),),
            positions=self._positions,
            budgets=lambda: (BudgetStanding("xero", 2, 17, 1),),
        )

    async def _ask(self) -> None:
        if self.away:
            raise Transient("no")

    async def _step(self) -> int:
        return 0

    async def _positions(self, subscription: Subscription) -> Mapping[str, Mapping[int, int]]:
        return {topic: {5: 40, 63: 2} for topic in subscription.topics}


@asynccontextmanager
async def _served(process: Process) -> AsyncIterator[TestClient[web.Request, web.Application]]:
    app = web.Application()
    app.add_routes(health_routes(process.health, ANSWERS))
    async with TestClient(TestServer(app)) as client:
        yield client


async def _get(client: TestClient[Any, Any], path: str) -> tuple[int, str]:
    answer = await client.get(path)
    return answer.status, await answer.text()


async def test_a_process_that_is_well_says_so_with_positions_budgets_and_version() -> None:
    async with _served(Process()) as client:
        assert await _get(client, "/livez") == (200, "alive\n")
        assert await _get(client, "/readyz") == (200, "ready\n")
        status = await (await client.get("/status")).json()
        figures = (await _get(client, "/metrics"))[1]
    assert (status["service"], status["version"], status["checks"]) == ("matcher", "0.1.0", {"postgres": None})
    assert status["positions"] == {"matcher.entities": {"entity.normalized.v1": {"5": 40, "63": 2}}}
    assert status["groups"][0] | {} == {
        "name": "matcher.entities",
        "failures": 0,
        "lag": 3,
        "parked": 1,
        "sentence": None,
    }
    assert status["workers"][0]["sentence"] == "A race was lost."
    assert status["budgets"] == [{"provider": "xero", "accounts": 2, "least_left_today": 17, "closed": 1}]
    for line in (
        'well_consumer_lag_events{group="matcher.entities"} 3.0',
        'well_consumer_parked_events{group="matcher.entities"} 1.0',
        'well_failures{name="matcher.decide"} 1.0',
        'well_answers{name="postgres"} 1.0',
        'well_budget_least_left_calls{provider="xero"} 17.0',
        'well_process{service="matcher",version="0.1.0"} 1.0',
    ):
        assert line in figures.splitlines()


async def test_what_holds_it_up_is_said_and_what_cannot_be_known_is_left_out() -> None:
    process = Process(away=True)
    process.group.failures, process.group.last_sentence = UNREADY_FAILURES, "Kafka is away."
    async with _served(process) as client:
        assert await _get(client, "/readyz") == (
            503,
            "postgres: Postgres does not answer.\nmatcher.entities: Kafka is away.\n",
        )
        assert await _get(client, "/livez") == (200, "alive\n")
        assert (await (await client.get("/status")).json())["positions"] == {}
        assert 'well_answers{name="postgres"} 0.0' in (await _get(client, "/metrics"))[1]


async def test_a_dead_consumer_asks_for_a_new_start() -> None:
    process = Process()
    process.group.dead = "It has not polled for 60 seconds."
    async with _served(process) as client:
        assert await _get(client, "/livez") == (503, "matcher.entities: It has not polled for 60 seconds.\n")


async def _health_of(channel: grpc.aio.Channel, service: str) -> int:
    stub = health_pb2_grpc.HealthStub(channel)
    answer = await stub.Check(health_pb2.HealthCheckRequest(service=service))
    return int(answer.status)


async def _status_of(channel: grpc.aio.Channel) -> status_pb2.Standing:
    ask = channel.unary_unary(
        f"/{SERVICE}/Get",
        request_serializer=status_pb2.GetRequest.SerializeToString,
        response_deserializer=status_pb2.Standing.FromString,
    )
    answer: status_pb2.Standing = await ask(status_pb2.GetRequest())
    return answer


async def test_the_same_is_told_over_grpc() -> None:
    process = Process()
    serving, not_serving = health_pb2.HealthCheckResponse.SERVING, health_pb2.HealthCheckResponse.NOT_SERVING
    async with (
        serving_grpc("127.0.0.1:0", process.health) as port,
        grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel,
    ):

        async def all_say(status: int) -> bool:
            return {await _health_of(channel, name) for name in ("", "matcher", SERVICE)} == {status}

        await until(lambda: all_say(serving))
        with pytest.raises(grpc.aio.AioRpcError, match="NOT_FOUND"):
            await _health_of(channel, "somebody")
        told = await _status_of(channel)
        assert (told.service, told.version, told.ready) == ("matcher", "0.1.0", True)
        assert [(check.name, check.problem) for check in told.checks] == [("postgres", "")]
        (group,) = told.groups
        assert (group.name, group.lag_events, group.parked_events, group.last_error) == ("matcher.entities", 3, 1, "")
        assert dict(group.positions[0].sequences) == {5: 40, 63: 2}
        assert (told.workers[0].name, told.workers[0].last_error) == ("matcher.decide", "A race was lost.")
        assert (told.budgets[0].provider, told.budgets[0].least_left_today) == ("xero", 17)
        process.away = True
        await until(lambda: all_say(not_serving))
        away = await _status_of(channel)
        assert (away.ready, away.checks[0].problem) == (False, "Postgres does not answer.")


async def test_an_address_that_is_taken_is_refused_with_a_sentence() -> None:
    bound = bound_socket()
    bound.listen()
    address = f"127.0.0.1:{port_of(bound)}"
    with pytest.raises(Rejected, match=address):
        async with serving_grpc(address, Process().health):
            pass
    bound.close()


def test_the_code_of_the_messages_is_what_the_compiler_makes_of_them(tmp_path: Path) -> None:
    assert proto.made_into(tmp_path) == 0
    for name in ("status_pb2.py", "status_pb2.pyi"):
        here = Path(proto.__file__).with_name(name)
        assert here.read_bytes() == (tmp_path / "libs" / "runtime" / "proto" / name).read_bytes()


class Busy:
    """Something that needs so long to finish once it is told to stop; for ever when it is not let go."""

    def __init__(self) -> None:
        self.let_go = asyncio.Event()
        self.ended = ""

    async def run(self, stop: asyncio.Event) -> None:
        try:
            await stop.wait()
            await self.let_go.wait()
            self.ended = "finished"
        except asyncio.CancelledError:
            self.ended = "dropped"
            raise


async def test_what_is_under_way_is_finished_and_what_takes_too_long_is_dropped() -> None:
    quick, slow = Busy(), Busy()
    quick.let_go.set()
    async with working((quick, slow), stop_seconds=0.1):
        assert (quick.ended, slow.ended) == ("", "")
    assert (quick.ended, slow.ended) == ("finished", "dropped")


async def test_an_error_that_no_pause_helps_ends_everything() -> None:
    class Broken:
        async def run(self, stop: asyncio.Event) -> None:
            assert not stop.is_set()
            raise Rejected("no", code="no")

    idle = Busy()
    idle.let_go.set()
    with pytest.raises(ExceptionGroup):
        async with working((idle, Broken())):
            await asyncio.Event().wait()
    assert idle.ended in {"finished", "dropped"}


@dataclass
class Reading:
    """A member of a group that keeps its place itself."""

    standing: GroupStanding
    dead: str | None = None


async def test_a_reading_that_keeps_its_own_place_is_told_of_like_any_group() -> None:
    reading = Reading(
        GroupStanding("insights-v1", failures=UNREADY_FAILURES, lag=7, parked=2, sentence="Auth is away.")
    )
    health = Health("insights", checks=(), carriers=(), workers=(), readings=(reading,))
    app = web.Application()
    app.add_routes(health_routes(health, ANSWERS))
    async with TestClient(TestServer(app)) as client:
        assert await _get(client, "/readyz") == (503, "insights-v1: Auth is away.\n")
        assert await _get(client, "/livez") == (200, "alive\n")
        figures = (await _get(client, "/metrics"))[1].splitlines()
        reading.dead = "Nothing was taken for 200 seconds."
        assert await _get(client, "/livez") == (503, "insights-v1: Nothing was taken for 200 seconds.\n")
    assert 'well_consumer_lag_events{group="insights-v1"} 7.0' in figures
    assert 'well_consumer_parked_events{group="insights-v1"} 2.0' in figures
