"""A run that ends without a word takes its broker with it."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import psutil
import pytest

from tests.support.kafka_broker import cluster_id, free_ports, started_from_jars
from tests.support.kafka_jars import NoJars, find_jars
from tests.support.until import until

_KEEPER = Path(__file__).parents[2] / "support" / "kafka_keeper.py"

_FOR_EVER = [sys.executable, "-c", "import signal; print('up', flush=True); signal.pause()"]


@pytest.fixture
def processes() -> Iterator[ExitStack]:
    with ExitStack() as ended:
        yield ended


def _started(processes: ExitStack, command: list[str]) -> subprocess.Popen[bytes]:
    process = processes.enter_context(subprocess.Popen(command, stdout=subprocess.DEVNULL))
    processes.callback(process.kill)
    return process


async def test_a_broker_ends_with_the_run_that_was_killed_and_leaves_nothing(
    tmp_path: Path, processes: ExitStack
) -> None:
    folder = tmp_path / "broker"
    folder.mkdir()
    run = _started(processes, _FOR_EVER)
    keeper = _started(processes, [sys.executable, str(_KEEPER), str(run.pid), str(folder), *_FOR_EVER])

    async def is_up() -> bool:
        return (folder / "broker.log").exists() and b"up" in (folder / "broker.log").read_bytes()

    async def has_ended() -> bool:
        return keeper.poll() is not None

    await until(is_up)
    [broker] = psutil.Process(keeper.pid).children()
    run.kill()  # and nobody asks how it ended: it stays in the list of processes
    await until(has_ended)
    assert not broker.is_running()
    assert not folder.exists()


async def test_a_broker_whose_port_became_somebodys_starts_with_others(tmp_path: Path) -> None:
    try:
        find_jars()
    except NoJars as reason:
        pytest.skip(f"no jars of Kafka: {reason}")
    taken, free = free_ports(), free_ports()
    tries = iter([taken, free])
    with socket.create_server(("127.0.0.1", taken.behind_proxy)):
        broker = await started_from_jars(tmp_path / "broker", os.getpid(), ports_of_a_try=lambda: next(tries))
    assert broker.ports == free
    await broker.stop()


def test_a_clusters_id_is_never_taken_for_an_option() -> None:
    assert {cluster_id()[0] for _ in range(10_000)} == set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdef")
