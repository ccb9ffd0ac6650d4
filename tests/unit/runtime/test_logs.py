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


_A_LIBRARY_REPEATS = """
import logging
from libs.runtime.logs import set_up_logs
set_up_logs()
try:
    int("Maison Tilleul, EUR 1,284.00")
except ValueError as error:
    logging.getLogger("mcp.client").exception("Cannot read Maison Tilleul")
    logging.getLogger("mcp.client").error(f"Cannot read: {error}")
"""


_OURS_PASSES_THROUGH = """
import logging
from libs.contracts.errors import Rejected
from libs.runtime.logs import set_up_logs
set_up_logs()
try:
    raise Rejected("The person did not consent.", code="consent_refused")
except Rejected:
    logging.getLogger("mcp.client").exception("OAuth flow error")
"""


def _run(level: str | None, program: str = _SAYS) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if name != "WELL_LOG"}
    return subprocess.run(
        [sys.executable, "-c", program],
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


def test_what_a_library_repeats_of_a_foreign_answer_stays_out_and_where_it_stood_does_not() -> None:
    said = _run(None, _A_LIBRARY_REPEATS).stderr
    assert "Tilleul" not in said
    assert "1,284" not in said
    first, second = (json.loads(line) for line in said.splitlines())
    assert (first["library"], first["error"]) == ("mcp.client", "ValueError")
    assert first["frames"]
    assert "error" not in second


def test_an_error_of_ours_that_passes_through_a_library_is_told_by_who_catches_it_alone() -> None:
    assert _run(None, _OURS_PASSES_THROUGH).stderr == ""
