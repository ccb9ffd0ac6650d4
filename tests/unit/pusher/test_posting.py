"""The table of moves is the whole truth about what can happen to a posting."""

from __future__ import annotations

import pytest

from services.pusher.domain.posting import TRANSITIONS, Move, State, moved
from tests.unit.pusher.stories import posting


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("move", Move)
def test_a_move_leads_where_the_table_says_or_is_refused(state: State, move: Move) -> None:
    if (state, move) in TRANSITIONS:
        assert moved(posting(state), move).state is TRANSITIONS[state, move]
    else:
        with pytest.raises(ValueError, match="cannot"):
            moved(posting(state), move)


@pytest.mark.parametrize("end", [State.VERIFIED, State.DIFFERS, State.UNCHECKED, State.REJECTED, State.WITHDRAWN])
def test_nothing_happens_after_an_end(end: State) -> None:
    assert not [move for state, move in TRANSITIONS if state is end]


def test_what_qonto_may_have_is_never_sent_again_without_having_been_unknown() -> None:
    assert {state for state, move in TRANSITIONS if move is Move.SEND} == {State.INTENDED, State.UNKNOWN}


def test_only_what_was_never_sent_or_was_looked_for_can_be_withdrawn() -> None:
    withdrawable = {state for state, move in TRANSITIONS if move is Move.WITHDRAW}
    assert withdrawable == {State.WAITING, State.INTENDED, State.UNKNOWN}
