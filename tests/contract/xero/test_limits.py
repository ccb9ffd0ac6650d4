"""Xero's limits in the stand-in.

Source: developer.xero.com/documentation/guides/oauth2/limits: per organisation 5 concurrent, 60 a minute, 5,000 a day;
for the app 10,000 a minute; what is left stands in headers, what was exceeded in X-Rate-Limit-Problem.
"""

from __future__ import annotations

import asyncio

import httpx
import pytest

from libs.xero.standin.budgets import Budgets, Exceeded, Window
from libs.xero.standin.settings import Limits
from tests.contract.xero.world import TENANT, World
from tests.support.until import until


async def test_the_sixty_first_call_of_a_minute_is_refused_until_the_window_closes(world: World) -> None:
    token = await world.token()
    for left in range(59, -1, -1):
        answer = await world.raw("/Organisation", token)
        assert (answer.status_code, answer.headers["X-MinLimit-Remaining"]) == (200, str(left))
    refused = await world.raw("/Organisation", token)
    assert (refused.status_code, refused.headers["X-Rate-Limit-Problem"]) == (429, "minute")
    assert 1 <= int(refused.headers["Retry-After"]) <= 60
    assert refused.headers["X-DayLimit-Remaining"] == "4940"
    await world.tell("clock", advance_seconds=int(refused.headers["Retry-After"]))
    assert (await world.raw("/Organisation", token)).headers["X-MinLimit-Remaining"] == "59"


async def test_the_limits_of_a_day_and_of_the_app_can_be_set(world: World) -> None:
    token = await world.token()
    await world.tell("limits", day=1)
    assert (await world.raw("/Organisation", token)).headers["X-DayLimit-Remaining"] == "0"
    refused = await world.raw("/Organisation", token)
    assert (refused.headers["X-Rate-Limit-Problem"], int(refused.headers["Retry-After"]) > 86_000) == ("day", True)
    await world.tell("limits", app_minute=1)
    assert (await world.raw("/Organisation", token)).headers["X-Rate-Limit-Problem"] == "appminute"


async def test_what_is_left_stands_on_every_answer(world: World) -> None:
    token = await world.token()
    names = ("X-DayLimit-Remaining", "X-MinLimit-Remaining", "X-AppMinLimit-Remaining")
    for answer in (
        await world.raw("/Invoices", "no token"),
        await world.raw("/Invoices/none", token),
        await world.raw("/Invoices", token, Accept="text/html"),
        await world.raw("/Invoices", token, **{"xero-tenant-id": "another"}),
    ):
        assert answer.status_code >= 400
        assert all(answer.headers[name].isdigit() for name in names)


async def test_six_calls_at_once_are_one_too_many(world: World) -> None:
    token = await world.token()
    await world.tell("faults", path="/api.xro/2.0/Organisation", kind="timeout", times=5)
    held = [asyncio.create_task(world.raw("/Organisation", token)) for _ in range(5)]

    async def all_in() -> bool:
        return (await world.http.get(f"{world.standin.url}/_standin/faults")).text == '{"faults":[]}'

    await until(all_in)
    refused = await world.raw("/Contacts", token)
    assert (refused.status_code, refused.headers["X-Rate-Limit-Problem"]) == (429, "concurrent")
    assert "Retry-After" not in refused.headers
    for one in held:
        one.cancel()
    await asyncio.gather(*held, return_exceptions=True)

    async def free_again() -> bool:
        return (await world.raw("/Contacts", token)).status_code == 200

    await until(free_again)


async def test_organisations_do_not_eat_each_others_budget(world: World) -> None:
    await world.tell("organisations", tenant_id="other", name="Other")
    await world.tell("limits", minute=1)
    await world.tell("settings", tenant_id=TENANT)
    first = await world.token()
    await world.tell("settings", tenant_id="other")
    second = await world.token()
    assert (await world.raw("/Organisation", first)).status_code == 200
    answer: httpx.Response = await world.raw("/Organisation", second, **{"xero-tenant-id": "other"})
    assert answer.status_code == 200


def test_a_refused_call_counts_for_nothing() -> None:
    budgets, limits = Budgets(), Limits(minute=1, day=10)
    assert budgets.enter("t", limits, 0.0) is None
    budgets.leave("t")
    assert budgets.enter("t", limits, 1.0) == Exceeded("minute", 59)
    assert budgets.headers("t", limits, 1.0)["X-DayLimit-Remaining"] == "9"


@pytest.mark.parametrize(("now", "used"), [(0.0, 1), (59.9, 1), (60.0, 0)])
def test_a_window_is_fixed_and_closes_after_its_length(now: float, used: int) -> None:
    window = Window(60.0)
    window.count(0.0)
    assert window.used(now) == used
