"""Plans what a pull asks for next, so that no record that shifts while paging is lost.

A list of a provider is ordered by the instant of change, oldest first. While it is read, a record that changes moves
to the end, and every record behind its old place moves one place forward: whoever reads pages 1, 2, 3 skips one at
each border. So a window is read **backwards**: page 1 first, to learn how many pages there are, then from the last down
to page 1 again. A record that did not change can only move towards page 1, which is read last, and so meets the reader;
a record that changed did so after the window was opened and belongs to the next one. The page count of the first answer
also bounds the window, however fast the list grows.

A window opens at an instant of our clock and the next one asks for everything changed since that instant less an
overlap, never for anything later: a record stamped in the future (Xero-NetStandard#598) is read again in each window
until its time has come. Where the last window was opened later than it is now, our clock was ahead and has been set
right, and nobody knows since when: everything is asked for. Reading twice is silent, since unchanged words make no
event.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from libs.contracts.errors import Malformed
from libs.contracts.identity import Provider, RecordKind

STAGES: Final[Mapping[Provider, tuple[RecordKind, ...]]] = {
    "xero": ("contact", "bill"),
    "qonto": ("supplier_invoice",),
}
"""The lists of one window, in order. Contacts first, so that a bill's supplier is known before the bill."""


PAGES_MAX: Final = 100_000
"""Pages of one list: ten million supplier invoices at Qonto's hundred a page. More is a slip, and would be read for
weeks, while everything behind it waits."""


@dataclass(frozen=True)
class Window:
    """A window under way: one reading of everything a provider changed since the last one.

    Attributes:
        number: From 1; counts the windows of this connection.
        since: The bound asked for; None asks for everything.
        opened_at: When it was opened; everything changed before it will have been read.
        kind: The list being read.
        page: The page to ask for next.
        counted: Whether the page count of this list is known, so that `page` runs downwards.
        changed: Records of this window that were new or had changed.
    """

    number: int
    since: datetime | None
    opened_at: datetime
    kind: RecordKind
    page: int = 1
    counted: bool = False
    changed: int = 0


@dataclass(frozen=True)
class Closed:
    """A window that has been read to its end.

    Attributes:
        window: The window.
        announced: Whether its barriers are said: always for the first, later only when something changed.
    """

    window: Window
    announced: bool


def opened(provider: Provider, last: datetime | None, *, number: int, now: datetime, overlap_seconds: float) -> Window:
    """The next window of a provider.

    Args:
        provider: Whose lists.
        last: When the last finished window was opened; None before the first.
        number: The number of this window.
        now: The instant it is opened at.
        overlap_seconds: How far it reaches back behind the last one: for clocks that differ and rows that show late.
    """
    since = None
    if last is not None and last <= now:
        since = (last - timedelta(seconds=overlap_seconds)).replace(microsecond=0)
    return Window(number=number, since=since, opened_at=now, kind=STAGES[provider][0])


def check_page_count(page_count: int) -> None:
    """Return when a list has as many pages as one can have.

    Raises:
        Malformed: `too_many_pages`.
    """
    if page_count > PAGES_MAX:
        sentence = f"The provider says that its list has more than {PAGES_MAX} pages, which is not believed."
        raise Malformed(sentence, code="too_many_pages")


def after_page(provider: Provider, window: Window, *, page_count: int, changed: int) -> Window | Closed:
    """What follows when the page that the window asked for has been kept.

    Args:
        provider: Whose lists.
        window: The window as it stood when the page was asked for.
        page_count: Pages of the list by the answer; counts only in the first answer of a list.
        changed: Records of the page that were new or had changed.
    """
    window = replace(window, changed=window.changed + changed)
    if not window.counted and page_count > 1:
        return replace(window, page=page_count, counted=True)
    if window.counted and window.page > 1:
        return replace(window, page=window.page - 1)
    kinds = STAGES[provider]
    following = kinds[kinds.index(window.kind) + 1 :]
    if following:
        return replace(window, kind=following[0], page=1, counted=False)
    return Closed(window, announced=window.number == 1 or window.changed > 0)
