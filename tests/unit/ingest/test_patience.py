"""How long things wait."""

from __future__ import annotations

import pytest

from services.ingest.domain.patience import LONGEST_PAUSE_SECONDS, pause_seconds


def test_the_pauses_are_those_the_docstring_shows() -> None:
    shown = [2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900]
    assert [pause_seconds(failures) for failures in range(1, 12)] == shown
    assert pause_seconds.__doc__ is not None
    assert ", ".join(map(str, shown)) in pause_seconds.__doc__


@pytest.mark.parametrize(("asked", "waited"), [(0.0, 2.0), (31.0, 31.0), (86_400.0, LONGEST_PAUSE_SECONDS)])
def test_what_the_other_side_asks_for_is_honoured_within_limits(asked: float, waited: float) -> None:
    assert pause_seconds(5, asked_seconds=asked) == waited
