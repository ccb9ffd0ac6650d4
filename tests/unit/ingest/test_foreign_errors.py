"""What an MCP server says of an error, taken for what it may be: anything."""

from __future__ import annotations

import pytest

from libs.contracts.errors import Rejected, Transient
from services.ingest.adapters.mcp_xero import RETRY_AFTER_MAX_SECONDS, error_of


@pytest.mark.parametrize("asked", [float("nan"), float("inf"), -1, 0, 10**400, 1e300, "7", None, []])
def test_a_wait_that_is_no_believable_number_is_no_wait(asked: object) -> None:
    error = error_of({"kind": "Transient", "retry_after_seconds": asked})
    assert isinstance(error, Transient)
    assert error.retry_after_seconds is None


def test_a_believable_wait_is_kept_and_said() -> None:
    error = error_of({"kind": "Transient", "retry_after_seconds": 31})
    assert isinstance(error, Transient)
    assert error.retry_after_seconds == 31
    assert "31 seconds" in error.sentence
    assert RETRY_AFTER_MAX_SECONDS == 24 * 3600


@pytest.mark.parametrize("told", [None, "words", [], {}, {"kind": []}, {"kind": "Fatal"}, {"code": ["not_found"]}])
def test_an_error_of_no_agreed_shape_is_a_refusal(told: object) -> None:
    error = error_of(told)
    assert isinstance(error, Rejected)
    assert error.code == "refused"
