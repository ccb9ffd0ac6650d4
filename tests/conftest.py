"""Fixtures that any test may ask for."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

# How long an example takes says more of what else the machine does than of us.
settings.register_profile("well", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("well")

pytest_plugins = (
    "tests.support.postgres",
    "tests.support.memory",
    "tests.support.forms",
    "tests.support.kafka",
    "tests.support.scratch",
    "tests.support.skipped",
)
