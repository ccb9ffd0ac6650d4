"""One Kafka broker of a test run, in Docker."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from typing import Any

from tests.support.kafka_broker import START_SECONDS, Ports, answers, cluster_id, properties
from tests.support.kafka_jars import KAFKA_VERSION
from tests.support.until import until


class DockerBroker:
    """Kafka in a container, through testcontainers; its ports are those of this machine, so that a restart keeps them.

    Args:
        ports: Where it listens.
    """

    def __init__(self, ports: Ports) -> None:
        from testcontainers.core.container import DockerContainer  # noqa: PLC0415 only where Docker runs

        self.ports = ports
        told = properties(ports, listen_on="0.0.0.0", folder="/tmp/records")  # noqa: S104, S108 inside the container
        container = DockerContainer(f"apache/kafka:{KAFKA_VERSION}").with_env("CLUSTER_ID", cluster_id())
        for name, value in told.items():
            container = container.with_env("KAFKA_" + name.upper().replace(".", "_"), value)
        for port in (ports.direct, ports.behind_proxy):
            container = container.with_bind_ports(port, port)
        self._container: Any = container
        self._is_made = False

    async def start(self) -> None:
        """Start it, and return when it answers."""
        if self._is_made:
            await asyncio.to_thread(self._container.get_wrapped_container().start)
        else:
            await asyncio.to_thread(self._container.start)
            self._is_made = True
        await until(lambda: answers(self.ports.direct, self.ports.behind_proxy), deadline_seconds=START_SECONDS)

    async def stop(self) -> None:
        """Stop it with SIGTERM; the container stays."""
        await asyncio.to_thread(self._container.get_wrapped_container().stop)

    async def kill(self) -> None:
        """End it with SIGKILL; the container stays."""
        await asyncio.to_thread(self._container.get_wrapped_container().kill)

    async def remove(self) -> None:
        """Take the container away."""
        await asyncio.to_thread(self._container.stop)


def docker_answers() -> bool:
    """Whether a Docker engine runs here; the client alone is not enough.

    Asked in a process of its own: where nothing answers, the client leaves a socket behind, and that is a warning.
    """
    asked = [sys.executable, "-c", "import docker; docker.from_env(timeout=3).ping()"]
    return subprocess.run(asked, check=False, capture_output=True).returncode == 0
