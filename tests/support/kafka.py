"""A real Kafka for tests: what `WELL_TEST_KAFKA` names, else Docker's, else one from jars, else none and the reason.

One broker serves all workers of a run, and every test has topics of its own in it. A test that stops a broker or cuts
the link to it has a broker of its own.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import TypeVar
from uuid import uuid4

import pytest

from tests.support.kafka_broker import Broker, Ports, free_ports, started_from_jars
from tests.support.kafka_docker import DockerBroker, docker_answers
from tests.support.kafka_jars import NoJars, alone, find_jars

Result = TypeVar("Result")

_outliving: list[Broker] = []
"""The run's broker outlives the worker that started it: its keeper ends it with the run."""


@pytest.fixture(scope="session")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a broker that nobody stops; its topics are shared, so a test names its own by `topic_prefix`."""
    named = os.environ.get("WELL_TEST_KAFKA")
    if named:
        yield named
    elif docker_answers():
        broker = DockerBroker(free_ports())
        _run(broker.start())
        yield broker.ports.bootstrap
        _run(broker.remove())
    else:
        _want_jars()
        yield _shared(_run_folder(tmp_path_factory)).bootstrap


@pytest.fixture
def kafka_records(kafka: str, tmp_path_factory: pytest.TempPathFactory) -> Path | None:
    """Where the broker's log segments lie, if that is on this machine."""
    assert kafka
    folder = _run_folder(tmp_path_factory) / "broker" / "records"
    return folder if folder.is_dir() else None


@pytest.fixture
def topic_prefix() -> str:
    """What this test's topics begin with."""
    return f"t{uuid4().hex[:12]}."


@pytest.fixture(scope="session")
def own_broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """A broker of this worker's own."""
    if docker_answers():
        container = DockerBroker(free_ports())
        _run(container.start())
        yield container
        _run(container.remove())
    else:
        _want_jars()
        broker = _run(started_from_jars(tmp_path_factory.mktemp("own-kafka"), _run_pid()))
        yield broker
        _run(broker.stop())


@pytest.fixture
def mortal_kafka(own_broker: Broker) -> Broker:
    """A broker that this test may stop, kill, start again, and reach through a proxy; it runs when the test begins."""
    _run(own_broker.start())
    return own_broker


def _want_jars() -> None:
    """Skip what cannot have a broker; a run that may not skip fails instead."""
    try:
        find_jars()
    except NoJars as reason:
        if os.environ.get("CI") == "true":
            pytest.fail(f"no Kafka, which a run for a decision may not do without: {reason}")
        pytest.skip(f"no Kafka: WELL_TEST_KAFKA names none, no Docker engine answers, and {reason}")


def _shared(folder: Path) -> Ports:
    """Where the run's broker listens; whoever asks first starts it."""
    folder.mkdir(exist_ok=True)
    written = folder / "ports.json"
    with alone(folder / "starting"):
        if not written.exists():
            broker = _run(started_from_jars(folder / "broker", _run_pid()))
            _outliving.append(broker)
            written.write_text(json.dumps(asdict(broker.ports)), "utf-8")
        return Ports(**json.loads(written.read_text("utf-8")))


def _is_worker() -> bool:
    return "PYTEST_XDIST_WORKER" in os.environ


def _run_pid() -> int:
    """The process whose end is the end of the run."""
    return os.getppid() if _is_worker() else os.getpid()


def _run_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that all workers of this run share, and no other run."""
    own = tmp_path_factory.getbasetemp()
    return (own.parent if _is_worker() else own) / "kafka"


def _run(work: Coroutine[None, None, Result]) -> Result:
    """Run to the end in a thread of its own: the fixture may be asked for from inside a test's loop."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result()
