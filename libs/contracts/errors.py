"""The errors of Well, named by what the caller must do.

```
WellError
├── Transient       try again, later
├── Rejected        tell a person; the same request will be refused again
├── Malformed       park it; the bytes will not get better
├── ConsentLost     reconnect; no retry helps until a person consents again
├── OutcomeUnknown  look before you try again; the effect may have happened
└── Stale           read again, then decide again
```

Every error carries a sentence for the person who reads it at night. It never carries a token, a name or an amount
of a customer: sentences reach logs.
"""

from __future__ import annotations


class WellError(Exception):
    """Something the caller must act on.

    Attributes:
        sentence: What happened and what helps, in plain words, without secrets or customer content.
    """

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


class Transient(WellError):
    """The same call may succeed later: the network, a full budget, a server that is busy.

    Attributes:
        retry_after_seconds: How long the other side asked us to wait; None when it did not say.
    """

    def __init__(self, sentence: str, *, retry_after_seconds: float | None = None) -> None:
        super().__init__(sentence)
        self.retry_after_seconds = retry_after_seconds


class Rejected(WellError):
    """The other side understood and refused; a person must change something first.

    Attributes:
        code: The refusal in one stable word, for counting and for tests.
    """

    def __init__(self, sentence: str, *, code: str) -> None:
        super().__init__(sentence)
        self.code = code


class Malformed(WellError):
    """These bytes break their own contract. Keep them, say so, and go on with the next.

    Attributes:
        code: The defect in one stable word, for counting and for tests.
    """

    def __init__(self, sentence: str, *, code: str = "malformed") -> None:
        super().__init__(sentence)
        self.code = code


class ConsentLost(WellError):
    """The provider no longer honours our grant. The connection waits until a person reconnects it."""


class OutcomeUnknown(WellError):
    """A write was sent and no answer came. Look at the provider before sending it again."""


class Stale(WellError):
    """What was read has changed since. Read again and decide again."""
