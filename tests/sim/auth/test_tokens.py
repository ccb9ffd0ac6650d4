"""No token is lost: consents, refreshes, deaths, revocations, jumping clocks and a provider's errors in any order."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, precondition, rule

from libs.contracts.errors import ConsentLost, Transient
from libs.contracts.events import ConsentLost as ConsentLostEvent
from libs.contracts.identity import derived_id
from libs.crypto.lent import LentToken
from services.auth.domain.connection import REFUSED_FOR_GOOD, Connection
from tests.sim.auth.processes import BORROWER, PROCESSES, WORKSPACE, Process, Processes, killed
from tests.sim.auth.provider import KINDS, Mood, StrictProvider

PASSING = [1.0, 10.0, 26.0, 61.0, 1_700.0, 1_801.0, 3_601.0, 86_400.0, 61 * 86_400.0]
"""Seconds: around a lease, either grace and either life; a day of refusals; longer than a refresh token of Xero's."""

JUMPS = [-86_400.0, -3_600.0, -61.0, -29.0, 0.0, 29.0, 61.0, 3_600.0, 86_400.0]
"""Seconds by which our clock is off: less than clocks may differ, more than either grace, and absurdly much."""


class Tokens(Processes):
    """Auth in three processes over one database, and a provider that knows which refresh token it would honour."""

    @initialize(kind=st.sampled_from(sorted(KINDS)))
    def begin(self, kind: str) -> None:
        """One provider, a consent."""
        self.provider = StrictProvider(KINDS[kind], self.clock)
        self.name = self.provider.kind.provider
        self.processes = [Process(self.started()) for _ in range(PROCESSES)]
        self.consent()

    @rule()
    def consent(self) -> None:
        """A person connects, or connects again."""
        self.runner.run(self.consented())
        assert self.row().state == "active"

    @rule(moods=st.lists(st.sampled_from(["down", "answer_lost", "our_secret_is_wrong"]), max_size=2))
    def borrow(self, moods: list[Mood]) -> None:
        """Somebody wants a token. It is lost only when the provider would not renew it whatever we present."""
        self._borrow(moods)

    @precondition(lambda self: len([each for each in self.processes if each.hanging]) < PROCESSES - 1)
    @rule(mood=st.sampled_from(["held_before", "held_after", "held_down"]))
    def hang(self, mood: Mood) -> None:
        """A process asks for a token, and the provider's answer takes its time."""
        process = self.idle()
        self.provider.moods.append(mood)
        self.provider.somebody_waits.clear()
        before = len(self.provider.held)

        async def until_it_hangs() -> None:
            task = asyncio.create_task(process.auth.lend(BORROWER[self.name], WORKSPACE, self.name))
            hangs = asyncio.create_task(self.provider.somebody_waits.wait())
            await asyncio.wait({task, hangs}, return_when=asyncio.FIRST_COMPLETED)
            hangs.cancel()
            if task.done():
                task.exception()
            else:
                process.hanging, process.held = task, self.provider.held[before:]

        self.runner.run(until_it_hangs())
        self.provider.moods.clear()

    @precondition(lambda self: any(each.hanging for each in self.processes))
    @rule()
    def arrive(self) -> None:
        """The answer that was on its way arrives, however late."""

        async def arrived(process: Process) -> None:
            for event in process.held:
                event.set()
            if process.hanging is not None:
                await asyncio.gather(process.hanging, return_exceptions=True)

        self.runner.run(arrived(next(each for each in self.processes if each.hanging)))
        next(each for each in self.processes if each.hanging).hanging = None

    @precondition(lambda self: any(each.hanging for each in self.processes))
    @rule()
    def die(self) -> None:
        """A process that hangs is killed, and another one started."""
        process = next(each for each in self.processes if each.hanging)
        self.runner.run(killed(process))
        self.processes[self.processes.index(process)] = Process(self.started())

    @precondition(lambda self: self._is_sound())
    @rule(seconds=st.sampled_from([0.0, 1.0, 4.0]), jump=st.sampled_from(JUMPS))
    def die_and_come_back(self, seconds: float, jump: float) -> None:
        """Killed between the provider's answer and our commit, with our clock set anew: the connection lives."""
        self.time.now += timedelta(days=3)  # old by any clock
        self.clock.skew = timedelta()
        self.hang("held_after")
        self.die()
        self.time.now += timedelta(seconds=seconds)
        self.clock.skew = timedelta(seconds=jump)
        assert isinstance(self._borrow([]), LentToken)

    @rule(seconds=st.sampled_from(PASSING))
    def time_passes(self, seconds: float) -> None:
        """Nothing happens for a while."""
        self.time.now += timedelta(seconds=seconds)

    @rule(seconds=st.sampled_from(JUMPS))
    def our_clock_is_set(self, seconds: float) -> None:
        """Our clock is off from now on."""
        self.clock.skew = timedelta(seconds=seconds)

    @rule()
    def the_api_refuses(self) -> None:
        """A borrower meets a 401 with a token it was just lent."""
        process = self.idle()

        async def refused() -> None:
            lent = await process.auth.lend(BORROWER[self.name], WORKSPACE, self.name)
            await process.auth.refused(WORKSPACE, self.name, lent.secret)

        before = self.row()
        try:
            self.runner.run(refused())
        except (Transient, ConsentLost):
            self._check_loss(before)

    @rule()
    def disconnect(self) -> None:
        """A person disconnects through Well."""
        before = self.row()
        try:
            self.runner.run(self.idle().auth.disconnecting.disconnect(WORKSPACE, self.name))
        except Transient:
            assert self.row().state != "revoked"
            return
        assert self.row().state == "revoked"
        assert _tokens(self.row()) == []
        # A connection lost by a day of refusals has tokens that may be too old to end anything with.
        assert before.state == "lost" or not [token for token in _tokens(before) if self.provider.honours(token)]

    @rule()
    def take_back(self) -> None:
        """A person takes everything back at the provider."""
        self.provider.revoke_everything()

    @invariant()
    def the_token_kept_is_the_newest(self) -> None:
        """What lies in the row was never used, or its answer never reached us."""
        row = self.row()
        if row.state in {"active", "refused"}:
            assert row.refresh_token is not None
            known = self.provider.tokens[row.refresh_token]
            assert known.first_used is None or not known.answered

    @invariant()
    def each_loss_is_said_once(self) -> None:
        """A consent that is lost stands in the log as such, and none twice."""
        row = self.row()
        said = [event.cause for event in self.runner.run(self.said()) if isinstance(event.payload, ConsentLostEvent)]
        assert len(said) == len(set(said))
        assert row.state != "lost" or derived_id("consent-lost", row.consent) in said

    def teardown(self) -> None:
        """Let nothing hang."""
        for process in getattr(self, "processes", []):
            self.runner.run(killed(process))
        self.runner.close()

    def _borrow(self, moods: list[Mood]) -> LentToken | Transient | ConsentLost:
        process, before, late = self.idle(), self.row(), len(self.provider.came_too_late)
        honoured = [token for token in _tokens(before) if self.provider.honours(token)]
        self.provider.moods.extend(moods)
        outcome: LentToken | Transient | ConsentLost
        try:
            outcome = self.runner.run(process.auth.lend(BORROWER[self.name], WORKSPACE, self.name))
        except (Transient, ConsentLost) as error:
            outcome = error
        used_moods = len(self.provider.moods) < len(moods)
        self.provider.moods.clear()
        if isinstance(outcome, LentToken):
            assert outcome.secret in self.provider.access_tokens
        elif isinstance(outcome, ConsentLost):
            self._check_loss(before)
        else:
            hangs = any(each.hanging for each in self.processes)
            assert used_moods or hangs or self.row().state == "refused"
        for token in self.provider.came_too_late[late:]:
            assert token == before.refresh_token or token not in honoured
        return outcome

    def _check_loss(self, before: Connection) -> None:
        """A loss was rightly called one."""
        row = self.row()
        if before.state not in {"active", "refused"} or row.state != "lost":
            return
        if row.refresh_token is not None:  # refused for a day: kept, and a person is asked
            assert row.refused_since is not None
            assert self.clock.now() - row.refused_since >= REFUSED_FOR_GOOD
            return
        assert not [token for token in _tokens(before) if self.provider.honours(token)]

    def _is_sound(self) -> bool:
        """Active, nothing under way, and a refresh token that was never used and lives for long enough."""
        row = self.row()
        if row.state != "active" or row.refresh_token is None or any(each.hanging for each in self.processes):
            return False
        known = self.provider.tokens[row.refresh_token]
        soon = self.time.now + timedelta(days=4)
        return known.first_used is None and known.grant not in self.provider.ended and soon < known.ends


def _tokens(row: Connection) -> list[str]:
    return [token for token in (row.refresh_token, row.previous_refresh_token) if token is not None]


TestTokens = Tokens.TestCase
TestTokens.settings = settings(max_examples=60, stateful_step_count=30)
