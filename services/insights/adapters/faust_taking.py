"""Hands one message after the other over, tries again what may pass, and parks what is no event of ours."""

from __future__ import annotations

from typing import Any, Final

import structlog

from libs.bus.dealing import FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS, TRANSIENT_TRIES
from libs.bus.kafka.message import Message
from libs.contracts.errors import Malformed, Transient
from libs.runtime.clock import Clock
from services.insights.ports import Hears

PARKED_MAX: Final = 100
"""Messages parked since the start. Beyond it the fault is ours, not theirs, and stopping keeps the rest whole."""


class Taking:
    """Takes messages as Faust has them.

    Args:
        group: What the reader is called.
        prefix: What topics begin with on this Kafka.
        dead_letters: Where messages go that are no events of ours, in the registry's words.
        hears: What takes the others.
        clock: For pauses.

    Attributes:
        failures: In a row, of the message in hand.
        parked: Since the start.
        sentence: Why the last one failed; None when none does.
    """

    def __init__(self, group: str, prefix: str, *, dead_letters: str, hears: Hears, clock: Clock) -> None:
        self.failures = 0
        self.parked = 0
        self.sentence: str | None = None
        self._group = group
        self._prefix = prefix
        self._dead_letters = prefix + dead_letters
        self._hears = hears
        self._clock = clock
        self._logger = structlog.get_logger().bind(group=group)

    async def take(self, producer: Any, came: Any) -> None:  # noqa: ANN401 as Faust has them
        """Take a message, or park it.

        Raises:
            Transient: It could not be taken for too long.
            Malformed: `too_many_parked`.
        """
        topic = came.topic.removeprefix(self._prefix)
        message = Message(came.key, came.value, tuple(came.headers or ()))
        while True:
            try:
                await self._hears.take(topic, message)
            except Transient as error:
                await self._pause_after(error)
            except Malformed as error:
                await self._park(producer, came, message, error)
                break
            else:
                break
        self.failures, self.sentence = 0, None

    async def _pause_after(self, error: Transient) -> None:
        self.failures += 1
        self.sentence = error.sentence
        if self.failures >= TRANSIENT_TRIES:
            raise Transient(f"{self._group} failed {self.failures} times in a row.") from error
        await self._clock.sleep(min(FIRST_PAUSE_SECONDS * 2 ** (self.failures - 1), LONGEST_PAUSE_SECONDS))

    async def _park(self, producer: Any, came: Any, message: Message, error: Malformed) -> None:  # noqa: ANN401 as above
        """Send it, as it came, to where such messages lie, with where it was and what is wrong with it."""
        if self.parked >= PARKED_MAX:
            sentence = f"{self._group} has parked {self.parked} messages since it started."
            raise Malformed(sentence, code="too_many_parked") from error
        said = {
            "insights_from": f"{came.topic}/{came.partition}/{came.offset}",
            "insights_code": error.code,
            "insights_why": error.sentence,
        }
        headers = [(name, value) for name, value in message.headers if value is not None]
        headers += [(name, text.encode()) for name, text in said.items()]
        await producer.send_and_wait(self._dead_letters, message.key, message.value, None, None, headers)
        self.parked += 1
        self._logger.error("insights.parked", at=said["insights_from"], code=error.code, why=error.sentence)
