"""Reads Xero for a workspace: with a token lent for the call, in its turn, and once more when the token was refused."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final, Protocol, TypeVar
from uuid import UUID

from libs.contracts.errors import ConsentLost, Rejected, Transient
from libs.crypto.lent import LentToken
from libs.xero.wire import Budget
from services.xero_mcp.flow.pacing import Pacing
from services.xero_mcp.ports import TokenLender

BORROWER: Final = "xero_mcp"

_TOKENS: Final = 2
"""Tokens tried for one call: the one at hand, and the one that auth lends after a refusal."""


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

        A token that Xero refuses is reported to auth, which refreshes it once; the call is then made once more. What
        Xero forbids to a good token is reported too: the organisation may have been disconnected there. It is auth who
        says whether the consent rests or is lost.

        Raises:
            ConsentLost: Xero no longer honours the consent.
            Transient: The budget is used up, Xero or auth does not answer, or two tokens in a row were refused.
            Rejected: Xero refused the call itself.
            Malformed: Xero answered with a shape that it does not promise.
        """
        for _ in range(_TOKENS):
            answer = await self._once(workspace, call)
            if answer is not None:
                return answer
        raise Transient("Xero refused two tokens in a row; the next call is made with another.")

    async def _once(self, workspace: UUID, call: Callable[[str, str], Awaitable[AnswerT]]) -> AnswerT | None:
        """The answer, or None when the token was refused."""
        lent = await self._lender.lend(BORROWER, workspace, "xero")
        try:
            async with self._pacing.turn(lent.account):
                answer = await self._paced(lent, call)
        except Rejected as refusal:
            if refusal.code == "forbidden":
                await self._lender.forbidden(workspace, "xero")
            raise
        except ConsentLost:
            await self._lender.refused(workspace, "xero", lent.secret)
            return None
        self._pacing.learn(lent.account, day_left=answer.budget.day_remaining)
        return answer

    async def _paced(self, lent: LentToken, call: Callable[[str, str], Awaitable[AnswerT]]) -> AnswerT:
        try:
            return await call(lent.secret, lent.account)
        except Transient as error:
            if error.retry_after_seconds is not None:
                self._pacing.close(lent.account, seconds=error.retry_after_seconds)
            raise
