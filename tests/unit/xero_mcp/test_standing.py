"""Whether a consent stands is asked of auth, and believed for some seconds."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import uuid4

import pytest

from libs.contracts.consented import Consented
from libs.contracts.errors import Malformed, Rejected, Transient, WellError
from libs.database.memory import MemoryDatabase
from libs.runtime.clock import ManualClock
from services.xero_mcp.adapters.memory import MemoryXeroMcpStore
from services.xero_mcp.flow.standing import REMEMBERED_CONSENTS, Standing
from services.xero_mcp.flow.tokens import McpTokens


@dataclass
class Auth:
    """Says of consents what a test wants, and counts how often it is asked."""

    stands: bool = True
    failure: WellError | None = None
    asked: list[Consented] = field(default_factory=list)

    async def consent_stands(self, consented: Consented) -> bool:
        self.asked.append(consented)
        if self.failure is not None:
            raise self.failure
        return self.stands

    async def end_consent(self, consented: Consented) -> None:
        assert consented
        if self.failure is not None:
            raise self.failure
        self.stands = False

    async def ask_consent(self, **_: object) -> str:
        raise Transient("Nobody asks here.")

    async def redeem_consent(self, grant: str, *, return_to: str) -> Consented:
        raise Transient(f"Nobody brings {grant} to {return_to} here.")


@dataclass
class World:
    """Tokens in memory, and who is asked about them."""

    auth: Auth
    tokens: McpTokens
    standing: Standing
    clock: ManualClock

    async def token(self) -> tuple[str, Consented]:
        consented = Consented(uuid4(), uuid4())
        code = await self.tokens.add_code(consented, "client", {"scopes": ["xero.read"], "resource": "r"})
        issued = await self.tokens.buy("code", code, client="client", scopes_of=lambda _: ("xero.read",))
        assert issued is not None
        return issued.access, consented


@pytest.fixture
def world() -> World:
    clock, auth = ManualClock(datetime(2026, 11, 26, tzinfo=UTC)), Auth()
    tokens = McpTokens(database=MemoryDatabase(), store=MemoryXeroMcpStore(), clock=clock, believed_seconds=5)
    return World(auth, tokens, Standing(consents=auth, tokens=tokens, clock=clock, believed_seconds=5), clock)


async def test_it_is_asked_once_in_some_seconds_and_what_ended_takes_its_tokens_along(world: World) -> None:
    token, consented = await world.token()
    for _ in range(2):
        assert await world.standing.of(consented)
    assert world.auth.asked == [consented]
    world.auth.stands = False
    assert await world.standing.of(consented)
    world.clock.advance(5)
    for _ in range(2):
        assert not await world.standing.of(consented)
    assert len(world.auth.asked) == 3
    assert await world.tokens.verified(token) is None


@pytest.mark.parametrize(
    "failure",
    [
        Transient("Auth does not answer."),
        Rejected("The token of xero_mcp is out of its time.", code="service_token_expired"),
        Malformed("Auth has no such call.", code="no_such_path"),
    ],
)
async def test_while_auth_tells_us_nothing_nobody_knows_and_nothing_ends(world: World, failure: WellError) -> None:
    token, consented = await world.token()
    world.auth.failure = failure
    for unknown in (world.standing.of, world.standing.end):
        with pytest.raises(Transient):
            await unknown(consented)
    assert await world.tokens.verified(token) is not None
    world.auth.failure, world.auth.stands = None, False
    assert not await world.standing.of(consented)


async def test_a_program_that_gives_its_consent_back_is_believed_no_longer(world: World) -> None:
    token, consented = await world.token()
    assert await world.standing.of(consented)
    await world.standing.end(consented)
    assert await world.tokens.verified(token) is None
    assert not await world.standing.of(consented)


async def test_what_has_ended_is_not_believed_again_when_the_clock_is_set_back(world: World) -> None:
    _, consented = await world.token()
    assert await world.standing.of(consented)
    world.auth.stands = False
    world.clock.advance(5)
    assert not await world.standing.of(consented)
    world.clock.advance(-3)
    assert not await world.standing.of(consented)


async def test_so_many_consents_are_believed_and_the_one_asked_about_longest_ago_goes_first(world: World) -> None:
    async def asked_about(*consents: Consented) -> int:
        before = len(world.auth.asked)
        for consented in consents:
            assert await world.standing.of(consented)
        return len(world.auth.asked) - before

    first, *others = (Consented(uuid4(), uuid4()) for _ in range(REMEMBERED_CONSENTS))
    assert await asked_about(first, *others, first) == REMEMBERED_CONSENTS
    world.clock.advance(5)
    assert await asked_about(first, Consented(uuid4(), uuid4()), first) == 2
    more = [Consented(uuid4(), uuid4()) for _ in range(REMEMBERED_CONSENTS)]
    assert await asked_about(*more, first) == REMEMBERED_CONSENTS + 1
