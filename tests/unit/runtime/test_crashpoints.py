"""A crash point kills the process as the machine would: at the named pass, with nothing tidied up."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from libs.runtime.crashpoints import POINTS

_REPOSITORY = Path(__file__).parents[3]

_PASSES = """
import sys
from libs.runtime.crashpoints import arm_from_environment, crashpoint
arm_from_environment()
for turn in range(1, 6):
    print(turn, flush=True)
    try:
        crashpoint("pusher.after_sent")
    finally:
        print("left", flush=True)
"""


def _run(crash_at: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", _PASSES],
        env={**os.environ, "WELL_CRASH_AT": crash_at},
        cwd=_REPOSITORY,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


@pytest.mark.parametrize(("crash_at", "passed"), [("pusher.after_sent", 0), ("pusher.after_sent:3", 2)])
def test_the_process_dies_at_that_pass_and_nothing_runs_after(crash_at: str, passed: int) -> None:
    died = _run(crash_at)
    assert died.returncode == -signal.SIGKILL
    assert died.stdout.split() == [word for turn in range(1, passed + 1) for word in (str(turn), "left")] + [
        str(passed + 1)
    ]


@pytest.mark.parametrize("crash_at", ["", "pusher.before_intent", "pusher.after_sent:6"])
def test_a_point_that_is_not_armed_or_not_reached_does_nothing(crash_at: str) -> None:
    done = _run(crash_at)
    assert done.returncode == 0
    assert done.stdout.split().count("left") == 5


@pytest.mark.parametrize(
    ("crash_at", "said"),
    [
        ("pusher.after_snet", "the points are: pusher.before_intent"),
        ("pusher.after_sent:0", "counted from 1"),
        ("pusher.after_sent:-1", "counted from 1"),
        ("pusher.after_sent:soon", "counted from 1"),
    ],
)
def test_a_name_or_pass_that_is_none_is_refused_at_the_start(crash_at: str, said: str) -> None:
    refused = _run(crash_at)
    assert refused.returncode == 1
    assert said in refused.stderr
    assert refused.stdout == ""


def test_every_point_stands_in_the_code_and_every_one_in_the_code_is_listed() -> None:
    passed = {
        name
        for file in (_REPOSITORY / "services").rglob("*.py")
        for name in re.findall(r'crashpoint\("([^"]+)"\)', file.read_text(encoding="utf-8"))
    }
    assert passed == set(POINTS)
