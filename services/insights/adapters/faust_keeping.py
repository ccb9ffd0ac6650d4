"""Messages are acknowledged when what they changed lies in Kafka.

Faust commits a position though a change of its table may still be on its way, and though Kafka refused it: it waits a
tenth of a second, and it writes a line to its log. Killed then, it would never see that message again.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Any, Final

import faust
from faust.types import EventT, FutureMessage

from libs.contracts.errors import Transient

UNSAVED_MAX: Final = 1_000
"""Messages taken and not acknowledged before the next one waits: a megabyte or two, and little to read again."""


class KeptTable(faust.Table[bytes, bytes]):
    """A table that tells what it has sent to Kafka."""

    def __init__(self, *arguments: Any, **named: Any) -> None:  # noqa: ANN401 as Faust's own
        super().__init__(*arguments, **named)
        self._sent: list[FutureMessage] = []

    def send_changelog(self, *arguments: Any, **named: Any) -> FutureMessage:  # noqa: ANN401 as Faust's own
        """Send a change, and remember it."""
        sent = super().send_changelog(*arguments, **named)
        self._sent.append(sent)
        return sent

    def sent(self) -> list[FutureMessage]:
        """What was sent since this was last asked; each is done when Kafka has it."""
        sent, self._sent = self._sent, []
        return sent


class Acknowledging:
    """Acknowledges messages in the order in which they were taken, each when all that it changed is saved."""

    def __init__(self) -> None:
        self._waiting: deque[tuple[EventT[Any], list[FutureMessage]]] = deque()
        self._lost: BaseException | None = None

    async def add(self, event: EventT[Any], changes: list[FutureMessage]) -> None:
        """Acknowledge this message when its changes are saved. Returns when the next one may be taken, if ever."""
        self._waiting.append((event, changes))
        for change in changes:
            change.add_done_callback(self._know)
        self._go_on()
        if len(self._waiting) >= UNSAVED_MAX:
            await asyncio.wait(self._waiting[0][1])
        if self._lost is not None:
            await asyncio.Event().wait()  # it is over, see `check`

    def check(self) -> None:
        """See that nothing was lost.

        Raises:
            Transient: Kafka did not keep a change. No message since was acknowledged, so all of them come again.
        """
        if self._lost is not None:
            raise Transient("Kafka did not keep a change of the figures.") from self._lost

    def _know(self, change: asyncio.Future[Any]) -> None:
        if not _is_saved(change):
            self._lost = asyncio.CancelledError() if change.cancelled() else change.exception()
        self._go_on()

    def _go_on(self) -> None:
        while self._waiting and all(map(_is_saved, self._waiting[0][1])):
            event, _ = self._waiting.popleft()
            event.ack()


def _is_saved(change: asyncio.Future[Any]) -> bool:
    return change.done() and not change.cancelled() and change.exception() is None
