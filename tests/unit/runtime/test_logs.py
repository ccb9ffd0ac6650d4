"""Logs: one JSON object a line on standard error, from the wanted level upwards."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

_REPOSITORY = Path(__file__).parents[3]

_SAYS = """
import structlog
from libs.runtime.logs import set_up_logs
set_up_logs()
structlog.get_logger().info("bus.read", events=3)
structlog.get_logger().error("bus.parked", why="It is broken.")
"""


def _run(level: str | None) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if name != "WELL_LOG"}
    return subprocess.run(
        [sys.executable, "-c", _SAYS],
        env=environment if level is None else {**environment, "WELL_LOG": level},
        cwd=_REPOSITORY,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def test_by_default_only_errors_are_told_and_standard_output_stays_empty() -> None:
    said = _run(None)
    [line] = said.stderr.splitlines()
    words = json.loads(line)
    assert (words["event"], words["level"], words["why"]) == ("bus.parked", "error", "It is broken.")
    assert words["timestamp"].endswith("Z")
    assert said.stdout == ""


def test_a_lower_level_tells_more() -> None:
    assert [json.loads(line)["event"] for line in _run("info").stderr.splitlines()] == ["bus.read", "bus.parked"]


def test_a_level_that_is_none_is_refused() -> None:
    refused = _run("loud")
    assert refused.returncode == 1
    assert "it may be debug, info, warning or error" in refused.stderr
