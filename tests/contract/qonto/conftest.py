"""A stand-in that listens, for the tests of Qonto."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from libs.qonto.standin import running_standin
from tests.contract.qonto.desk import Desk
from tests.support.web import web_client


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    async with running_standin() as standin, web_client() as http:
        yield Desk(standin, http, standin.token())
