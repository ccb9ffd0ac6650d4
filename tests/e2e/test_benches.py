"""The benchmarks behind the figures in the docs still run; what they measure is theirs to say."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.house.tree import REPOSITORY


@pytest.mark.parametrize(
    ("bench", "figure"),
    [
        (("tests.bench.raw_to_decision",), "records_per_second"),
        (("tests.bench.runtime.idle", "1"), "matcher.decide"),
    ],
    ids=lambda value: value[0].rsplit(".", 1)[-1] if isinstance(value, tuple) else value,
)
def test_a_benchmark_runs_to_its_figures(bench: tuple[str, ...], figure: str) -> None:
    command = [sys.executable, "-m", *bench]
    ran = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=100, check=False)
    assert ran.returncode == 0, ran.stderr
    assert figure in ran.stdout
