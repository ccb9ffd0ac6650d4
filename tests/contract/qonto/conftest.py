"""A stand-in that listens, for the tests of Qonto."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest

from libs.qonto.standin import running_standin
from tests.contract.qonto.desk import Desk


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    async with running_standin() as standin, httpx.AsyncClient(timeout=10) as http:
        yield Desk(standin, http, standin.token())
