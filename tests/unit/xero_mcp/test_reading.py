"""A call to Xero for a workspace: whose token it is made with, and what auth and the line hear of its end."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal
from uuid import UUID, uuid4

import pytest

from libs.contracts.errors import ConsentLost, Rejected, Transient
from libs.crypto.lent import LentToken
from libs.runtime.clock import ManualClock
from libs.xero.wire import Budget
from services.xero_mcp.domain.budget import Limits
from services.xero_mcp.flow.pacing import Pacing
from services.xero_mcp.flow.read import Reading

NOW = datetime(2026, 11, 26, tzinfo=UTC)
WORKSPACE = uuid4()
UNTOLD = Budget(None, None, None)


@dataclass(frozen=True)
class Answered:
    """An answer of Xero."""

    budget: Budget = UNTOLD


@dataclass
class Lender:
    """Auth, which lends one token after the other and notes what it is told."""

    told: list[str] = field(default_factory=list)
    lent: int = 0

    async def lend(self, borrower: str, workspace: UUID, provider: Literal["xero"]) -> LentToken:
        assert (borrower, workspace, provider) == ("xero_mcp", WORKSPACE, "xero")
        self.lent += 1
        return LentToken(f"token-{self.lent}", "tenant", NOW)

    async def refused(self, workspace: UUID, provider: Literal["xero"], secret: str) -> None:
        assert (workspace, provider) == (WORKSPACE, "xero")
        self.told.append(f"refused {secret}")

    async def forbidden(self, workspace: UUID, provider: Literal["xero"]) -> None:
        assert (workspace, provider) == (WORKSPACE, "xero")
        self.told.append("forbidden")


def reading(lender: Lender, **limits: int) -> Reading:
    return Reading(lender=lender, pacing=Pacing(Limits(**limits), ManualClock(NOW), wait_seconds=30))


def failing(*errors: Exception) -> tuple[list[str], Callable[[str, str], Awaitable[Answered]]]:
    """A call that fails so, time after time, and then goes well; with the tokens it was made with."""
    tokens, left = [], list(errors)

    async def call(token: str, tenant: str) -> Answered:
        assert tenant == "tenant"
        tokens.append(token)
        if left:
            raise left.pop(0)
        return Answered()

    return tokens, call


async def test_a_refused_token_is_reported_and_the_call_made_once_more() -> None:
    lender = Lender()
    tokens, call = failing(ConsentLost("401"))
    await reading(lender).ask(WORKSPACE, call)
    assert (tokens, lender.told) == (["token-1", "token-2"], ["refused token-1"])


async def test_after_two_refusals_it_is_given_up_for_now() -> None:
    lender = Lender()
    tokens, call = failing(*[ConsentLost("401")] * 9)
    with pytest.raises(Transient, match="two tokens in a row"):
        await reading(lender).ask(WORKSPACE, call)
    assert (len(tokens), lender.told) == (2, ["refused token-1", "refused token-2"])


@pytest.mark.parametrize(("code", "told"), [("forbidden", ["forbidden"]), ("not_found", [])])
async def test_what_is_forbidden_to_a_good_token_is_reported_and_any_other_refusal_is_not(
    code: str, told: list[str]
) -> None:
    lender = Lender()
    with pytest.raises(Rejected):
        await reading(lender).ask(WORKSPACE, failing(Rejected("No.", code=code))[1])
    assert lender.told == told


async def test_a_wait_that_xero_asks_for_holds_for_the_next_call_too() -> None:
    tokens, call = failing(Transient("429", retry_after_seconds=60))
    asked = reading(Lender())
    for _ in range(2):
        with pytest.raises(Transient) as wait:
            await asked.ask(WORKSPACE, call)
        assert wait.value.retry_after_seconds == 60
    assert tokens == ["token-1"]


async def test_whatever_becomes_of_a_call_its_place_is_free_again() -> None:
    asked = reading(Lender(), at_once=1)
    for error in (Transient("down"), Rejected("No.", code="not_found"), ConsentLost("401")):
        _, call = failing(error, error)
        with pytest.raises((Transient, Rejected)):
            await asked.ask(WORKSPACE, call)
    await asked.ask(WORKSPACE, failing()[1])
