"""When to look, when to send again, when to give up to a person."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from services.pusher.domain.posting import Posting

KEY_LIFE_SECONDS: Final = 30 * 60
"""Seconds Qonto remembers an idempotency key. Source: docs.qonto.com, introduction/idempotency: 30 minutes."""

LONGEST_WAIT_SECONDS: Final = 15 * 60
"""Seconds that a posting waits at most, whatever for. One that would wait longer was put off by a clock that was ahead
and has been set right since: it is due at once, while what Qonto made of it can still be found by its date."""


class Next(StrEnum):
    """What a look that found nothing leads to."""

    LOOK_AGAIN = "look again"
    SEND_AGAIN = "send again"
    WITHDRAW = "withdraw"
    GIVE_UP = "give up"


@dataclass(frozen=True)
class RetryRule:
    """The times and limits of postings.

    Attributes:
        request_seconds: One upload at most, from connecting to the last byte of the answer, or one look. 10 MB over a
            slow line of 2 Mbit/s take 40.
        lease_seconds: A posting under way belongs to its pusher for so long. Longer than a request and its record
            together; when it runs out, its pusher is taken to be dead.
        running_seconds: So long after a request left, Qonto may still be at it, and a look that finds nothing proves
            nothing. Ours ends after `request_seconds`; gateways commonly cut after another 60.
            The clocks of two pushers must agree to within the difference; time servers keep them far closer.
        key_safe_seconds: So long after the first sending, Qonto still knows the key, and sending again cannot make a
            second invoice. Five minutes less than the key's life, for clocks that differ and requests that wait.
        silence_seconds: After that only the look protects. So long must have passed since the last sending, so that
            not even a request stuck in a queue, or a listing that lags, hides an invoice.
        first_pause_seconds: The first pause after a request without effect or a look that brought nothing.
        longest_pause_seconds: Doubled each time up to this: 5, 10, 20, 40 ... 900 seconds.
        lost_max: Answers lost before a person is asked. Five in a row are not the network any more.
        attempts_max: Requests before a person is asked. At 15 minutes a pause, three days: a weekend without Qonto.
        looks_max: Looks in a row that brought nothing, or failed, before a person is asked. Three days again.
        margin_seconds: How much earlier than the first sending a look begins, for clocks that differ. One that stays
            ahead of Qonto's by more than this hides from a look what was sent by it.
    """

    request_seconds: float = 60
    lease_seconds: float = 90
    running_seconds: float = 120
    key_safe_seconds: float = 25 * 60
    silence_seconds: float = 15 * 60
    first_pause_seconds: float = 5
    longest_pause_seconds: float = LONGEST_WAIT_SECONDS
    lost_max: int = 5
    attempts_max: int = 300
    looks_max: int = 300
    margin_seconds: float = 10 * 60

    def __post_init__(self) -> None:
        """Refuse times that contradict each other.

        Raises:
            ValueError: Names everything that is wrong.
        """
        wrong = [f"{field.name} must be positive" for field in fields(self) if getattr(self, field.name) <= 0]
        if self.lease_seconds <= self.request_seconds:
            wrong.append("lease_seconds must be longer than request_seconds")
        if self.running_seconds <= self.request_seconds:
            wrong.append("running_seconds must be longer than request_seconds")
        if self.key_safe_seconds + self.lease_seconds + self.request_seconds >= KEY_LIFE_SECONDS:
            wrong.append("key_safe_seconds must leave time for one more request within the key's 30 minutes")
        if max(self.longest_pause_seconds, self.lease_seconds) > LONGEST_WAIT_SECONDS:
            wrong.append(f"no pause and no lease may be longer than {LONGEST_WAIT_SECONDS} seconds")
        if wrong:
            raise ValueError("; ".join(wrong))

    def pause(self, times: int) -> timedelta:
        """The pause after something came to nothing `times` times in a row, from 1."""
        return _doubled(self.first_pause_seconds, times, self.longest_pause_seconds)

    def pause_after_refusal(self, attempt: int, asked_seconds: float | None) -> timedelta:
        """The pause after a request without effect: at least what Qonto asked for, and never beyond the longest."""
        asked = timedelta(seconds=asked_seconds or 0)
        return min(max(self.pause(attempt), asked), timedelta(seconds=self.longest_pause_seconds))

    def look_from(self, first_sent_at: datetime, asked_at: datetime) -> datetime:
        """From when on a look that begins at `asked_at` lists what Qonto made.

        Never from the future: what was sent by a clock that was ahead lies at Qonto under an earlier date.
        """
        return min(first_sent_at, asked_at) - timedelta(seconds=self.margin_seconds)

    def believable_at(self, posting: Posting, now: datetime) -> datetime:
        """From when on a look that finds nothing proves that Qonto does not have the posting.

        Raises:
            ValueError: It was never sent.
        """
        if posting.first_sent_at is None or posting.last_sent_at is None:
            raise ValueError("a posting that was never sent is not looked for")
        key_protects = now < posting.first_sent_at + timedelta(seconds=self.key_safe_seconds)
        wait_seconds = self.running_seconds if key_protects else max(self.running_seconds, self.silence_seconds)
        return posting.last_sent_at + timedelta(seconds=wait_seconds)

    def after_nothing_found(self, posting: Posting, *, asked_at: datetime, wanted: bool) -> Next:
        """What to do when a look that began at `asked_at` found nothing.

        `wanted` says whether the bill's newest decision is still the one that made this posting.
        """
        if asked_at < self.believable_at(posting, asked_at):
            return Next.LOOK_AGAIN
        if not wanted:
            return Next.WITHDRAW
        if posting.lost >= self.lost_max or posting.attempt >= self.attempts_max:
            return Next.GIVE_UP
        return Next.SEND_AGAIN


@dataclass(frozen=True)
class ReadingRule:
    """When to read back what Qonto made of a document.

    Attributes:
        lease_seconds: A posting being read belongs to its pusher for so long; a listing of 50 takes a second.
        first_pause_seconds: The pause after Qonto had not read the document yet. How long it takes is not published.
        longest_pause_seconds: Doubled each time up to this: 2, 4, 8 ... 900 seconds.
        looks_max: Looks that Qonto answered before the posting is left unchecked, to a person: three days at 15
            minutes. Looks that it did not answer are not counted: an outage says nothing of a document.
    """

    lease_seconds: float = 60
    first_pause_seconds: float = 2
    longest_pause_seconds: float = LONGEST_WAIT_SECONDS
    looks_max: int = 300

    def pause(self, looks: int) -> timedelta:
        """The pause after so many looks that brought nothing, from 1."""
        return _doubled(self.first_pause_seconds, looks, self.longest_pause_seconds)

    @property
    def bound(self) -> timedelta:
        """So long after an upload its posting is checked or left unchecked, as long as Qonto answers."""
        return sum((self.pause(looks) for looks in range(1, self.looks_max)), timedelta(0))


def is_due(due_at: datetime, now: datetime) -> bool:
    """Whether a posting that waits until an instant is due (`LONGEST_WAIT_SECONDS`)."""
    return not now < due_at <= now + timedelta(seconds=LONGEST_WAIT_SECONDS)


def _doubled(first_seconds: float, times: int, longest_seconds: float) -> timedelta:
    return timedelta(seconds=min(first_seconds * 2.0 ** min(max(times, 1) - 1, 30), longest_seconds))
