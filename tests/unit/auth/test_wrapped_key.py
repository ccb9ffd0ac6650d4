"""Which key of a purpose seals."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import uuid4

from services.auth.domain.wrapped_key import WrappedKey, newest, sealing
from tests.unit.auth.test_connection import NOW


def key(generation: int, seals_from: datetime) -> WrappedKey:
    return WrappedKey(uuid4(), "tokens", generation, b"wrapped", NOW, seals_from)


def test_the_newest_whose_time_has_come_seals() -> None:
    keys = [key(1, NOW - timedelta(days=1)), key(2, NOW), key(3, NOW + timedelta(seconds=1))]
    assert sealing(reversed(keys), now=NOW) == keys[1]
    assert sealing(keys, now=NOW + timedelta(seconds=1)) == keys[2]
    assert newest(keys, "tokens") == keys[2]
    assert newest(keys, "index") is None


def test_the_first_of_all_seals_under_any_clock() -> None:
    keys = [key(2, NOW + timedelta(minutes=1)), key(1, NOW)]
    assert sealing(keys, now=NOW - timedelta(days=365)) == keys[1]
