"""Reads Xero for a workspace: with a token lent for the call, in its turn, and once more when the token was refused."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final, Protocol, TypeVar
from uuid import UUID

from libs.contracts.errors import ConsentLost, Rejected, Transient
from libs.xero.wire import Budget
from services.xero_mcp.flow.pacing import Pacing
from services.xero_mcp.ports import TokenLender

BORROWER: Final = "xero_mcp"


class Answer(Protocol):
    """What every answer of Xero carries."""

    @property
    def budget(self) -> Budget:
        """The budget its headers told."""
        ...


AnswerT = TypeVar("AnswerT", bound=Answer)


class Reading:
    """Calls to Xero on behalf of workspaces."""

    def __init__(self, *, lender: TokenLender, pacing: Pacing) -> None:
        self._lender = lender
        self._pacing = pacing

    async def ask(self, workspace: UUID, call: Callable[[str, str], Awaitable[AnswerT]]) -> AnswerT:
        """One call, given a token and the organisation's id.

        A token that Xero refuses is reported to auth, which refreshes it once; the call is then made once more. An
        organisation that Xero refuses to a good token was disconnected there, and is reported in the same way.

        Raises:
            ConsentLost: Xero no longer honours the consent.
            Transient: The budget is used up, or Xero or auth does not answer.
            Rejected: Xero refused the call itself.
            Malformed: Xero answered with a shape that it does not promise.
        """
        try:
            return await self._once(workspace, call)
        except ConsentLost:
            return await self._once(workspace, call)

    async def _once(self, workspace: UUID, call: Callable[[str, str], Awaitable[AnswerT]]) -> AnswerT:
        lent = await self._lender.lend(BORROWER, workspace, "xero")
        async with self._pacing.turn(lent.account):
            try:
                answer = await call(lent.secret, lent.account)
            except Transient as error:
                if error.retry_after_seconds is not None:
                    self._pacing.close(lent.account, seconds=error.retry_after_seconds)
                raise
            except ConsentLost as refusal:
                refused: Exception = refusal
            except Rejected as refusal:
                if refusal.code != "forbidden":
                    raise
                refused = refusal
            else:
                self._pacing.learn(lent.account, day_left=answer.budget.day_remaining)
                return answer
        await self._lender.refused(workspace, "xero", lent.secret)
        raise ConsentLost("Xero refused the token it had just given. Connect Xero again.") from refused
