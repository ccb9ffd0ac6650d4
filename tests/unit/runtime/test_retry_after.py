"""`Retry-After` in both forms that HTTP knows."""

from __future__ import annotations

import pytest

from libs.qonto import refusals as of_qonto
from libs.runtime.retry_after import asked_seconds
from libs.xero import refusals as of_xero

DATE = "Sun, 06 Nov 1994 08:49:37 GMT"
"""RFC 9110, section 5.6.7, gives it in the form that servers write, and in two that they wrote once."""


@pytest.mark.parametrize(
    ("retry_after", "seconds"),
    [
        ("120", 120.0),
        ("0", 0.0),
        ("9" * 400, 3600.0),
        ("Sun, 06 Nov 1994 08:50:07 GMT", 30.0),
        ("Sunday, 06-Nov-94 08:50:07 GMT", 30.0),
        ("Sun, 06 Nov 1994 08:49:00 GMT", 0.0),
        ("Sun, 06 Nov 2094 08:49:37 GMT", 3600.0),
    ],
)
def test_seconds_are_read_as_they_are_and_a_date_is_counted_from_that_of_the_answer(
    retry_after: str, seconds: float
) -> None:
    headers = {"Retry-After": retry_after, "Date": DATE}
    assert asked_seconds(headers, most_seconds=3600) == seconds


@pytest.mark.parametrize(
    "retry_after",
    [
        "",
        "-5",
        "1.5",
        "soon",
        "²",
        "Sun, 06 Nov 1994 08:50:07",
        "Sun, 99 Nov 1994 08:50:07 GMT",
        "Sun, 06 Nov 99999999999999999999 08:50:07 GMT",
    ],
)
def test_what_is_neither_asks_for_nothing(retry_after: str) -> None:
    assert asked_seconds({"Retry-After": retry_after, "Date": DATE}, most_seconds=3600) is None


def test_a_date_says_nothing_beside_an_answer_without_one() -> None:
    assert asked_seconds({"Retry-After": DATE}, most_seconds=3600) is None


def test_both_providers_are_heeded_in_both_forms() -> None:
    headers = {"Retry-After": "Sun, 06 Nov 1994 08:50:07 GMT", "Date": DATE}
    told = [of_xero.refusal(429, headers, b""), of_qonto.refusal_of_read(429, headers, b"")]
    assert [getattr(error, "retry_after_seconds", None) for error in told] == [30.0, 30.0]
