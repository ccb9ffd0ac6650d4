"""Values remembered by the bytes they are sealed as."""

from __future__ import annotations

from uuid import UUID

from libs.crypto.opened import Opened

ONE, OTHER = UUID(int=1), UUID(int=2)


def has(opened: Opened[str], name: str) -> bool:
    return opened.get((ONE, "auth", name), name.encode()) is not None


def test_a_value_is_found_by_its_very_bytes_and_by_no_others() -> None:
    opened = Opened[list[str]]()
    value = ["a"]
    opened.remember((ONE, "auth", "a"), b"sealed", value)
    assert opened.get((ONE, "auth", "a"), bytes(bytearray(b"sealed"))) is value
    assert opened.get((ONE, "auth", "a"), b"sealee") is None


def test_the_same_bytes_in_another_row_table_or_workspace_are_not_found() -> None:
    opened = Opened[str]()
    opened.remember((ONE, "auth", "a"), b"sealed", "a")
    for place in ((ONE, "auth", "b"), (ONE, "matcher", "a"), (OTHER, "auth", "a")):
        assert opened.get(place, b"sealed") is None


def test_the_oldest_values_leave_when_the_bytes_are_used_up() -> None:
    opened = Opened[str](remembered_bytes=10)
    for name in ("aaaa", "bbbb", "cccc"):
        opened.remember((ONE, "auth", name), name.encode(), name)
    assert [has(opened, name) for name in ("aaaa", "bbbb", "cccc")] == [False, True, True]


def test_remembering_a_value_twice_takes_its_room_once() -> None:
    opened = Opened[str](remembered_bytes=8)
    for name in ("aaaa", "aaaa", "aaaa", "bbbb"):
        opened.remember((ONE, "auth", name), name.encode(), name)
    assert has(opened, "aaaa")


def test_a_value_larger_than_all_the_room_is_not_kept() -> None:
    opened = Opened[str](remembered_bytes=3)
    opened.remember((ONE, "auth", "aaaa"), b"aaaa", "a")
    assert not has(opened, "aaaa")
    opened.remember((ONE, "auth", "bbb"), b"bbb", "b")
    assert has(opened, "bbb")
