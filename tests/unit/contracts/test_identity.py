"""Names are derived: the same on every machine, in every version, for ever."""

from __future__ import annotations

from uuid import UUID

import pytest

from libs.contracts.identity import (
    BUCKETS,
    bucket_of,
    derived_id,
    key_of,
    provider_id_of,
    record_in_bucket,
    record_of,
)

WORKSPACE = UUID("3b0c9a52-6d1e-4f7a-9c58-2f4b7e1a8d60")


@pytest.mark.parametrize(
    ("key", "bucket"),
    [
        ("", 20),
        ("xero/bill/1", 32),
        ("3b0c9a52-6d1e-4f7a-9c58-2f4b7e1a8d60/xero/bill/8f2d6c14-5a3b-4c0e-9e71-0b6a4d2f8c35", 50),
        ("Papeterie Lefèvre", 33),
    ],
)
def test_a_bucket_never_changes(key: str, bucket: int) -> None:
    assert bucket_of(key) == bucket


def test_a_derived_id_never_changes() -> None:
    assert derived_id("posting", WORKSPACE, 3) == UUID("95e4f2a2-59a0-597b-bca6-f0216eb71b22")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("a", "b"), ("ab",)),
        (("a", "b"), ("a\x1fb",)),
        (("a\x1f", "b"), ("a", "\x1fb")),
        (("a\x1b1", "b"), ("a\x1f", "b")),
        (("a\x1b", "b"), ("a", "\x1bb")),
        (("", "a"), ("a", "")),
        (("a", None), ("a",)),
    ],
)
def test_two_lists_of_parts_never_have_one_id(one: tuple[object, ...], other: tuple[object, ...]) -> None:
    assert derived_id(*one) != derived_id(*other)


def test_the_name_of_a_record_holds_the_id_of_its_provider() -> None:
    assert record_of("xero", "bill", "2f4c") == "xero/bill/2f4c"
    assert provider_id_of("xero/bill/2f4c") == "2f4c"
    assert provider_id_of(record_of("xero", "contact", "a/b")) == "a/b"


def test_a_record_lands_in_the_bucket_that_was_chosen() -> None:
    for bucket in range(BUCKETS):
        record = record_in_bucket(WORKSPACE, "window/xero/12", bucket)
        assert bucket_of(key_of(WORKSPACE, record)) == bucket
        assert record == record_in_bucket(WORKSPACE, "window/xero/12", bucket)
