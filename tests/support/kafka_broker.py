"""One Kafka broker of a test run, from jars; `kafka_docker.py` has one in Docker. Both are told the same properties."""

from __future__ import annotations

import asyncio
import base64
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol
from uuid import uuid4

import psutil

from tests.support.kafka_jars import find_jars
from tests.support.kafka_keeper import SAID
from tests.support.ports import free_port
from tests.support.until import until

START_SECONDS: Final = 60.0
"""Seconds until the broker answers; four on an idle machine."""

_START_TRIES: Final = 3

_ANSWER_SECONDS: Final = 5.0

_WHICH_VERSIONS: Final = bytes.fromhex("0000000a 0012 0000 00000001 ffff")
"""A request that any Kafka answers: its length, ApiVersions (18) as of version 0, its number, and no client's name.
Source: https://kafka.apache.org/protocol#The_Messages_ApiVersions"""

_HEAP: Final = ("-Xms256M", "-Xmx768M", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
"""What a broker of small topics needs beside the tests on two cores; it starts in half the time without C2."""


@dataclass(frozen=True)
class Ports:
    """Where a broker listens.

    Attributes:
        direct: Its clients' listener.
        behind_proxy: A second listener for clients that know the broker as `proxy`.
        proxy: Where a `TcpProxy` may listen; what the second listener gives out as its address.
        controller: For the broker itself.
    """

    direct: int
    behind_proxy: int
    proxy: int
    controller: int

    @property
    def bootstrap(self) -> str:
        """The broker's address for its clients."""
        return f"127.0.0.1:{self.direct}"

    @property
    def proxied_bootstrap(self) -> str:
        """Its address for clients that reach it through the proxy alone."""
        return f"127.0.0.1:{self.proxy}"


class Broker(Protocol):
    """A broker that a test may stop and start again; its records stay."""

    ports: Ports

    async def start(self) -> None:
        """Start it, and return when it answers."""
        ...

    async def stop(self) -> None:
        """Stop it as an operator would."""
        ...

    async def kill(self) -> None:
        """End it as a power cut would."""
        ...


def free_ports() -> Ports:
    """Four ports that nobody uses now."""
    return Ports(free_port(), free_port(), free_port(), free_port())


async def started_from_jars(
    folder: Path, run_pid: int, *, ports_of_a_try: Callable[[], Ports] = free_ports
) -> JarBroker:
    """A new broker of this run. Where a port became somebody's since it was looked at, it starts anew with others."""
    tries_left = _START_TRIES
    while True:
        broker = JarBroker(folder, ports_of_a_try(), run_pid)
        try:
            await broker.start()
        except AssertionError:
            shutil.rmtree(folder, ignore_errors=True)
            tries_left -= 1
            if not tries_left:
                raise
        else:
            return broker


def properties(ports: Ports, *, listen_on: str, folder: str) -> dict[str, str]:
    """What the broker is told, by the names of Kafka's documentation."""
    one_copy = {
        "offsets.topic.replication.factor": "1",
        "offsets.topic.num.partitions": "4",
        "transaction.state.log.replication.factor": "1",
        "transaction.state.log.min.isr": "1",
        "transaction.state.log.num.partitions": "4",
        "share.coordinator.state.topic.replication.factor": "1",
        "share.coordinator.state.topic.min.isr": "1",
    }
    return one_copy | {
        "process.roles": "broker,controller",
        "node.id": "1",
        "controller.quorum.voters": f"1@127.0.0.1:{ports.controller}",
        "controller.listener.names": "CONTROLLER",
        "inter.broker.listener.name": "DIRECT",
        "listener.security.protocol.map": "CONTROLLER:PLAINTEXT,DIRECT:PLAINTEXT,PROXIED:PLAINTEXT",
        "listeners": f"DIRECT://{listen_on}:{ports.direct},PROXIED://{listen_on}:{ports.behind_proxy},"
        f"CONTROLLER://127.0.0.1:{ports.controller}",
        "advertised.listeners": f"DIRECT://127.0.0.1:{ports.direct},PROXIED://127.0.0.1:{ports.proxy}",
        "log.dirs": folder,
        "auto.create.topics.enable": "false",
        "group.initial.rebalance.delay.ms": "0",
        "broker.session.timeout.ms": "3000",  # as long as one that was killed is waited for by its successor
        "broker.heartbeat.interval.ms": "500",
    }


def cluster_id() -> str:
    """A new cluster's id as Kafka makes one: never with a hyphen first, which its tools take for an option's.

    Source: https://github.com/apache/kafka/blob/4.3.0/clients/src/main/java/org/apache/kafka/common/Uuid.java
    """
    first, *others = uuid4().bytes
    of_a_letter = first & 0x7F  # 62, which base64 writes as a hyphen, has its highest bit set
    return base64.urlsafe_b64encode(bytes([of_a_letter, *others])).decode().rstrip("=")


class JarBroker:
    """Kafka in KRaft mode from jars.

    Args:
        folder: Where its records, its settings and its log lie.
        ports: Where it listens.
        run_pid: The process of the test run; when that is gone, the broker ends.
    """

    def __init__(self, folder: Path, ports: Ports, run_pid: int) -> None:
        self.ports = ports
        self._keeper: psutil.Process | None = None
        self._folder = folder
        self._run_pid = run_pid
        self._settings = folder / "server.properties"
        self._java = ["java", *_HEAP, "-cp", f"{find_jars()}/*"]

    async def start(self) -> None:
        """Start it, formatted when it is new, and return when it answers; one that runs is left alone."""
        if self._keeper is not None and _runs(self._keeper):
            return
        if not self._settings.exists():
            await self._format()
        command = [*self._java, "kafka.Kafka", str(self._settings)]
        keeper = [sys.executable, str(Path(__file__).with_name("kafka_keeper.py")), str(self._run_pid)]
        self._keeper = _left_running([*keeper, str(self._folder), *command])
        await until(self._answers_or_has_ended, deadline_seconds=START_SECONDS)

    async def stop(self) -> None:
        """Stop it with SIGTERM."""
        if _runs(self._started):
            await self._end(self._started.terminate)

    async def kill(self) -> None:
        """End it with SIGKILL; its keeper ends by itself."""
        [java] = self._started.children()
        await self._end(java.kill)

    @property
    def pid(self) -> int:
        """The process that keeps it; the broker is its child."""
        return self._started.pid

    @property
    def _started(self) -> psutil.Process:
        assert self._keeper is not None
        return self._keeper

    async def _end(self, end: Callable[[], None]) -> None:
        end()
        await asyncio.to_thread(self._started.wait)

    async def _format(self) -> None:
        told = properties(self.ports, listen_on="127.0.0.1", folder=str(self._folder / "records"))
        self._folder.mkdir(parents=True, exist_ok=True)
        written = self._settings.with_suffix(".new")
        written.write_text("".join(f"{name}={value}\n" for name, value in told.items()), "utf-8")
        tool = [*self._java, "kafka.tools.StorageTool", "format", "-t", cluster_id(), "-c", str(written)]
        done = await asyncio.to_thread(subprocess.run, tool, check=False, capture_output=True, text=True)
        assert not done.returncode, f"the broker's folder could not be made: {done.stderr[-2000:]}"
        written.rename(self._settings)

    async def _answers_or_has_ended(self) -> bool:
        if not _runs(self._started):
            raise AssertionError(f"the broker ended: {(self._folder / SAID).read_text('utf-8')[-2000:]}")
        return await answers(self.ports.direct, self.ports.behind_proxy)


def _left_running(command: list[str]) -> psutil.Process:
    """Start a process that may outlive us, and that holds none of our pipes: nobody waits for it to close them."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    try:
        actions = [(os.POSIX_SPAWN_DUP2, nowhere, stream) for stream in range(3)]
        return psutil.Process(os.posix_spawn(command[0], command, os.environ, file_actions=actions))
    finally:
        os.close(nowhere)


def _runs(process: psutil.Process) -> bool:
    return process.is_running() and process.status() != psutil.STATUS_ZOMBIE


async def answers(*ports: int) -> bool:
    """Whether Kafka answers at all of them; it opens one after the other, and ends when it may not open one."""
    for port in ports:
        try:
            async with asyncio.timeout(_ANSWER_SECONDS):
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
                try:
                    writer.write(_WHICH_VERSIONS)
                    await reader.readexactly(len(_WHICH_VERSIONS))
                finally:
                    writer.close()
        except (OSError, TimeoutError, asyncio.IncompleteReadError):
            return False
    return True
