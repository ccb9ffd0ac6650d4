"""A stand-in that listens, for the tests of Xero."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from libs.xero.standin import running_standin
from tests.contract.xero.world import TENANT, World
from tests.support.web import web_client


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with running_standin() as standin, web_client() as http:
        world = World(standin, http)
        await world.tell("organisations", tenant_id=TENANT, name="Demo Company (FR)")
        yield world
