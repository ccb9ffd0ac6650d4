"""Apache Kafka as jars that Maven resolves, kept outside the tree: a real broker where no Docker engine runs.

Run as a program it fetches them, so that a run that may not skip fails early and with a reason.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

KAFKA_VERSION: Final = "4.3.0"

_FETCH_SECONDS: Final = 100.0
"""Seconds Maven may take for 43 MB; below the two minutes after which pytest ends a test that hangs."""

_POM: Final = f"""\
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>local.test</groupId><artifactId>kafka-jars</artifactId><version>1</version><packaging>pom</packaging>
  <dependencies>
    <dependency>
      <groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>{KAFKA_VERSION}</version>
    </dependency>
    <dependency>
      <groupId>org.apache.logging.log4j</groupId><artifactId>log4j-core</artifactId><version>2.24.3</version>
    </dependency>
    <dependency>
      <groupId>org.apache.logging.log4j</groupId><artifactId>log4j-slf4j-impl</artifactId><version>2.24.3</version>
    </dependency>
  </dependencies>
</project>
"""


class NoJars(Exception):
    """There is no way to Kafka's jars here; the text says why."""


def find_jars() -> Path:
    """The folder with the jars, fetched when this machine has not had them yet.

    Raises:
        NoJars: Java or Maven is missing, or Maven could not resolve them.
    """
    if shutil.which("java") is None:
        raise NoJars("there is no `java`; Kafka 4 wants 17 or newer")
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "well-test-kafka"
    cache.mkdir(parents=True, exist_ok=True)
    jars = cache / KAFKA_VERSION
    with alone(cache / "fetching"):
        if not jars.is_dir():
            _fetch(jars)
    return jars


def _fetch(jars: Path) -> None:
    maven = shutil.which("mvn")
    if maven is None:
        raise NoJars("there is no `mvn`, which fetches Kafka's jars once")
    with tempfile.TemporaryDirectory(dir=jars.parent) as made:
        pom = Path(made) / "pom.xml"
        pom.write_text(_POM, "utf-8")
        wanted = ["dependency:copy-dependencies", "-DincludeScope=runtime", "-DoutputDirectory=jars"]
        command = [maven, "--quiet", "--batch-mode", "--file", pom, *wanted]
        try:
            subprocess.run(command, check=True, capture_output=True, text=True, timeout=_FETCH_SECONDS)
        except subprocess.TimeoutExpired:
            raise NoJars(f"Maven did not fetch Kafka's jars within {_FETCH_SECONDS:.0f} s") from None
        except subprocess.CalledProcessError as error:
            raise NoJars(f"Maven could not fetch Kafka's jars: {error.stdout[-500:]}") from error
        (Path(made) / "jars").rename(jars)  # whole or not at all, whenever this is stopped


@contextmanager
def alone(lock: Path) -> Iterator[None]:
    """Hold a lock between processes; it goes with the process that holds it, however that ends."""
    with lock.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield


if __name__ == "__main__":
    try:
        find_jars()
    except NoJars as reason:
        sys.exit(f"Kafka cannot be started here: {reason}")
