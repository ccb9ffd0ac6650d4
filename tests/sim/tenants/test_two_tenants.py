"""Two customers of one Well try to reach each other by page, tool, flow and table, in any order: no row crosses."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, ClassVar, Final, TypeVar
from uuid import uuid4

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from tests.contract.journeys.stage import Customer, bill_of, books_of, running_stage
from tests.sim.tenants.reaching import TOOLS, Holding, World, world_of
from tests.support.postgres import PostgresFixture

FIRST = Customer(uuid4(), "aaaaaaaa-0000-4000-8000-0000000000aa", str(uuid4()), "Aubergine", 3)
SECOND = Customer(uuid4(), "bbbbbbbb-0000-4000-8000-0000000000bb", str(uuid4()), "Betterave", 2)

THINGS: Final = (
    *(
        "ticket",
        "state",
        "reading",
        "session",
        "workspace",
        "tenant",
        "organization",
        "bill",
        "record",
        "number",
        "program",
    ),
)

BUDGET: Final = settings(max_examples=6, stateful_step_count=15, suppress_health_check=list(HealthCheck), database=None)

RULE_SECONDS: Final = 60.0
"""Seconds for one try. The slowest waits for two pages of a busy machine."""

who = st.integers(0, 1)
things = st.sampled_from(THINGS)

Result = TypeVar("Result")


class Reaching(RuleBasedStateMachine):
    """One running Well; each rule is one customer's try at the other's things."""

    world: ClassVar[World]
    loop: ClassVar[asyncio.AbstractEventLoop]

    def run(self, work: Coroutine[Any, Any, Result]) -> Result:
        """Do something where Well runs."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(RULE_SECONDS)

    @rule(me=who, page=st.integers(0, 10_000), thing=things)
    def open_a_page_with_a_thing_of_the_other(self, me: int, page: int, thing: str) -> None:
        """In my own browser, signed in as myself."""
        mine, other = self._both(me)
        chosen = self.world.pages[page % len(self.world.pages)]
        answer = self.run(self.world.visited(chosen, other.things[thing], mine.session))
        self._shows_nothing(other, answer.text + str(answer.headers), sent=other.things[thing])

    @rule(me=who, page=st.integers(0, 10_000))
    def open_a_page_with_my_secret_under_the_others_name(self, me: int, page: int) -> None:
        """A session names its workspace in the open; naming another opens neither."""
        mine, other = self._both(me)
        forged = f"{other.customer.workspace.hex}.{mine.session.partition('.')[2]}"
        chosen = self.world.pages[page % len(self.world.pages)]
        answer = self.run(self.world.visited(chosen, "", forged))
        for holding in (mine, other):
            self._shows_nothing(holding, answer.text + str(answer.headers))

    @rule(me=who, tool=st.sampled_from(sorted(TOOLS)), thing=things)
    def ask_the_mcp_server_for_a_thing_of_the_other(self, me: int, tool: str, thing: str) -> None:
        """With my own token."""
        mine, other = self._both(me)
        said = self.run(self.world.called(mine.token, tool, other.things[thing]))
        self._shows_nothing(other, said, sent=other.things[thing])
        if not TOOLS[tool]:
            assert mine.customer.word in said

    @rule(me=who)
    def show_the_mcp_server_my_secret_under_the_others_name(self, me: int) -> None:
        """It knows my token, and not this one."""
        mine, other = self._both(me)
        assert self.run(self.world.is_let_in(mine.token))
        forged = f"{other.customer.workspace.hex}.{mine.token.partition('.')[2]}"
        assert not self.run(self.world.is_let_in(forged))

    @rule(me=who)
    def end_a_program_of_the_other(self, me: int) -> None:
        """With a form of my own page."""
        mine, other = self._both(me)
        tried = self.world.still_reads(other.customer.workspace, other.things["program"], ended_by=mine.session)
        assert self.run(tried)

    @rule(me=who, thing=st.sampled_from(["bill", "record", "number"]))
    def name_a_bill_of_the_other(self, me: int, thing: str) -> None:
        """In the queue, in an answer, in a trail."""
        mine, other = self._both(me)
        said = self.run(self.world.asked(mine.customer.workspace, other.things[thing]))
        assert said.split() == ["no_such_bill", "no_such_bill"]

    @rule(me=who)
    def reach_into_every_table(self, me: int) -> None:
        """As the service that owns it: read, delete, change, and give my rows away."""
        mine, other = self._both(me)
        assert self.run(self.world.tried(mine.customer.workspace, other.customer.workspace)) == []

    @rule(me=who)
    def look_at_my_figures(self, me: int) -> None:
        """They count what was pulled for me: my bills and my supplier."""
        mine, _ = self._both(me)
        told = self.run(self.world.figures_of(mine.session))
        assert told["together"]["pulled"] == mine.customer.bills + 1

    @rule(me=who, number=st.integers(0, 1))
    def change_a_bill_of_my_own(self, me: int, number: int) -> None:
        """So that there is always something under way meanwhile."""
        customer = self._both(me)[0].customer
        changed = bill_of(customer, number, Reference=f"{customer.word} {uuid4().hex}")
        self.run(self.world.stage.book(customer, invoices=[changed]))

    def _both(self, me: int) -> tuple[Holding, Holding]:
        return self.world.holdings[me], self.world.holdings[1 - me]

    def _shows_nothing(self, holding: Holding, shown: str, *, sent: str = "") -> None:
        """Nothing of a customer stands there, but what was sent and is said again."""
        seen = shown.replace(sent, "") if sent else shown
        assert not [mark for mark in holding.marks() if mark in seen]


async def test_no_row_of_one_customer_reaches_the_other_whatever_either_tries(postgres: PostgresFixture) -> None:
    async with running_stage(postgres.dsn) as stage:
        for customer in (FIRST, SECOND):
            await stage.open_for(customer, **books_of(customer))
        for customer in (FIRST, SECOND):
            await stage.all_decided(customer)
        Reaching.world, Reaching.loop = await world_of(stage, postgres, (FIRST, SECOND)), asyncio.get_running_loop()
        assert len(Reaching.world.pages) > 15
        assert len(Reaching.world.tables) > 15
        await asyncio.to_thread(run_state_machine_as_test, Reaching, settings=BUDGET)
        await asyncio.to_thread(_open_every_page)
        for holding in Reaching.world.holdings:
            assert holding.customer.word in await Reaching.world.called(holding.token, "list_invoices", "")


def _open_every_page() -> None:
    """Each once for either, whatever chance has chosen."""
    machine = Reaching()
    for page in range(len(machine.world.pages)):
        for me in range(2):
            machine.open_a_page_with_a_thing_of_the_other(me, page, THINGS[page % len(THINGS)])
