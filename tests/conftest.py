"""Fixtures that any test may ask for."""

from __future__ import annotations

pytest_plugins = (
    "tests.support.postgres",
    "tests.support.memory",
    "tests.support.forms",
    "tests.support.kafka",
    "tests.support.skipped",
)
