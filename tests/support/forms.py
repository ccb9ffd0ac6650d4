"""Both forms of a database under one name, for suites that hold both to the same promises."""

from __future__ import annotations

from typing import TypeAlias

import pytest

from tests.support.memory import MemoryFixture
from tests.support.postgres import PostgresFixture

Form: TypeAlias = MemoryFixture | PostgresFixture


@pytest.fixture(params=["memory", "postgres"])
def form(request: pytest.FixtureRequest) -> Form:
    """A database in memory, then one in Postgres. Not async: an async fixture may not ask for another by name."""
    chosen: Form = request.getfixturevalue(request.param)
    return chosen
