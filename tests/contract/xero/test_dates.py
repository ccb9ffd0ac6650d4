"""Xero's dates.

Source: developer.xero.com/documentation/api/accounting/requests-and-responses: `/Date(1439434356790+0000)/`,
milliseconds since 1970 in UTC; dates of documents are midnight UTC.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.contracts.errors import Malformed
from libs.xero.dates import as_xero_date, document_date, instant

MOMENTS = st.datetimes(timezones=st.just(UTC))
OFFSETS = st.sampled_from(["", "+0000", "+1300", "-0800"])


def test_the_documented_example_is_read() -> None:
    assert instant("/Date(1539993600000+0000)/") == datetime(2018, 10, 20, tzinfo=UTC)


@given(MOMENTS)
def test_an_instant_survives_to_the_millisecond(moment: datetime) -> None:
    assert timedelta(0) <= moment - instant(as_xero_date(moment)) < timedelta(milliseconds=1)


@given(MOMENTS, OFFSETS)
def test_the_offset_changes_nothing(moment: datetime, offset: str) -> None:
    assert instant(as_xero_date(moment).replace("+0000", offset)) == instant(as_xero_date(moment))


@given(st.dates(), OFFSETS)
def test_a_document_keeps_the_day_printed_on_it(day: date, offset: str) -> None:
    midnight = datetime.combine(day, time(), UTC)
    assert document_date(as_xero_date(midnight).replace("+0000", offset)) == day


@given(st.text(max_size=40))
def test_any_other_text_is_malformed(text: str) -> None:
    with pytest.raises(Malformed):
        instant(text)


@pytest.mark.parametrize(
    "text",
    [
        "/Date(999999999999999)/",
        "/Date(-999999999999999)/",
        "/Date(1539993600000+13)/",
        "/Date(1.5)/",
        "2026-03-31",
        "",
    ],
)
def test_what_is_near_to_a_date_is_malformed_too(text: str) -> None:
    with pytest.raises(Malformed) as refused:
        instant(text)
    assert refused.value.code == "bad_date"
