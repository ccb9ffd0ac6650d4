"""A posting: one document that shall stand in Qonto once, and every state it can be in.

Qonto keeps an idempotency key for 30 minutes and then makes a second invoice of it; nothing can be deleted over its
API; a time-out says nothing about what it did. So each step is on record before the next begins, and a posting whose
answer is missing is looked for before it is sent again. A bill has at most one *live* posting: intended, sent or
unknown.

    waiting ──> intended ──> sent ──> settled ──> verified | differs | unchecked
       │           │  ^       │ │        ^
       │           │  └───────┘ └──> unknown ──> sent (again)
       v           v   (refused          │
    rejected   withdrawn  before         └──> settled | rejected | withdrawn
    withdrawn             any effect)

Where a pusher may die:

| dies                                 | on record | Qonto may have  | what the next pusher does                     |
|--------------------------------------|-----------|-----------------|-----------------------------------------------|
| before the intent is committed       | nothing   | nothing         | hears the same events, makes the same intent  |
| after the intent                     | intended  | nothing         | sends                                         |
| before `sent` is committed           | intended  | nothing         | sends                                         |
| after `sent`, no request left yet    | sent      | nothing         | unknown: looks until none can run, then sends |
| while the request runs               | sent      | it, now or soon | unknown: looks; settles, or as above          |
| with the answer, not yet on record   | sent      | it, or refused  | unknown: looks; settles, or sends again       |
| before `settled` is committed        | sent      | it              | unknown: looks; settles                       |
| after `settled`                      | settled   | it              | reads back                                    |
| having read back, before the commit  | settled   | it              | reads back again                              |

What remains: a process that is suspended between its last look at the clock and the first byte of its request, and
woken more than half an hour later, sends behind the back of its successor. Only Qonto could refuse that; a later look
would show the two, as `posted_twice`, if the posting were still in doubt.

`waiting` is not stored as a posting: it is a bill that was decided to be posted and whose document is on its way.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from libs.contracts.entities import Document
from libs.contracts.events import ExpectedFields


class State(StrEnum):
    """Where a posting stands."""

    WAITING = "waiting"
    INTENDED = "intended"
    SENT = "sent"
    UNKNOWN = "unknown"
    SETTLED = "settled"
    VERIFIED = "verified"
    DIFFERS = "differs"
    UNCHECKED = "unchecked"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"


class Move(StrEnum):
    """What can happen to a posting."""

    INTEND = "intend"
    SEND = "send"
    SETTLE = "settle"
    REJECT = "reject"
    LOSE = "lose"
    PUT_BACK = "put back"
    WITHDRAW = "withdraw"
    VERIFY = "verify"
    DIFFER = "differ"
    LEAVE_UNCHECKED = "leave unchecked"


TRANSITIONS: Final[dict[tuple[State, Move], State]] = {
    (State.WAITING, Move.INTEND): State.INTENDED,
    (State.WAITING, Move.REJECT): State.REJECTED,
    (State.WAITING, Move.WITHDRAW): State.WITHDRAWN,
    (State.INTENDED, Move.SEND): State.SENT,
    (State.INTENDED, Move.WITHDRAW): State.WITHDRAWN,
    (State.SENT, Move.SETTLE): State.SETTLED,
    (State.SENT, Move.REJECT): State.REJECTED,
    (State.SENT, Move.LOSE): State.UNKNOWN,
    (State.SENT, Move.PUT_BACK): State.INTENDED,
    (State.UNKNOWN, Move.SEND): State.SENT,
    (State.UNKNOWN, Move.SETTLE): State.SETTLED,
    (State.UNKNOWN, Move.REJECT): State.REJECTED,
    (State.UNKNOWN, Move.WITHDRAW): State.WITHDRAWN,
    (State.SETTLED, Move.VERIFY): State.VERIFIED,
    (State.SETTLED, Move.DIFFER): State.DIFFERS,
    (State.SETTLED, Move.LEAVE_UNCHECKED): State.UNCHECKED,
}
"""Every move there is. What is not listed cannot happen."""

LIVE: Final = frozenset({State.INTENDED, State.SENT, State.UNKNOWN})
"""States in which a posting may still put something into Qonto. A bill has at most one such posting."""

IN_QONTO: Final = frozenset({State.SETTLED, State.VERIFIED, State.DIFFERS, State.UNCHECKED})
"""States in which Qonto has the document, once."""


@dataclass(frozen=True)
class Posting:
    """One intended write at Qonto.

    Attributes:
        id: Its name, and the idempotency key at Qonto.
        record: The bill it is of.
        generation: The decision that asked for it.
        document: The file; None when it was refused or withdrawn before there was one.
        file_name: The name it has in Qonto, by which a lost upload is found again.
        expected: What Qonto should read from the file.
        account: The Qonto organization of the first sending.
        attempt: Requests made so far.
        lost: Requests whose answer is missing.
        looks: Looks in a row that brought nothing: for the upload while unknown, for the read-back when settled.
        due_at: When a pusher should take it up; whoever does moves it forward by the lease. None when nothing is left
            to do.
        code: Why it stands where it stands, in one stable word.
        sentence: The same for a person.
        last_event: The last event of its story, which is the cause of the next.
        version: Counts the changes on record; a change based on an older one is refused.
    """

    id: UUID
    record: str
    generation: int
    state: State
    last_event: UUID
    document: Document | None = None
    file_name: str | None = None
    expected: ExpectedFields | None = None
    account: str | None = None
    attempt: int = 0
    lost: int = 0
    looks: int = 0
    first_sent_at: datetime | None = None
    last_sent_at: datetime | None = None
    due_at: datetime | None = None
    invoice_id: str | None = None
    attachment_id: str | None = None
    code: str | None = None
    sentence: str | None = None
    version: int = 0


def moved(posting: Posting, move: Move, **changes: Any) -> Posting:  # noqa: ANN401  the fields have their own types
    """The posting after a move.

    Raises:
        ValueError: `TRANSITIONS` does not list the move, which is a mistake in our own code.
    """
    state = TRANSITIONS.get((posting.state, move))
    if state is None:
        raise ValueError(f"a posting that is {posting.state} cannot {move}")
    return replace(posting, state=state, **changes)
