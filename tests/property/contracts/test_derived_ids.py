"""Derived ids keep apart whatever is different, and buckets spread whatever comes."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from libs.contracts.identity import BUCKETS, bucket_of, derived_id

# Few characters, so that parts and separators meet often.
parts = st.lists(st.text(alphabet="a01\x1b\x1f", max_size=4), min_size=1, max_size=4)


@given(parts, parts)
def test_ids_are_equal_when_their_parts_are(one: list[str], other: list[str]) -> None:
    assert (derived_id(*one) == derived_id(*other)) == (one == other)


@given(st.text())
def test_every_key_has_a_bucket(key: str) -> None:
    assert 0 <= bucket_of(key) < BUCKETS


def test_buckets_are_used_evenly() -> None:
    counted = Counter(bucket_of(f"workspace/xero/bill/{bill}") for bill in range(6400))
    assert len(counted) == BUCKETS
    assert max(counted.values()) < 150
