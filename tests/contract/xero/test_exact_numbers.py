"""A number is never computed with between a record that is held and what the client hands on."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.xero.standin import exact_json
from libs.xero.wire import parse

DECIMALS = st.from_regex(r"-?(0|[1-9][0-9]{0,14})\.[0-9]{1,10}", fullmatch=True)
WHOLE = st.integers(-(2**63) + 1, 2**63 - 1).map(str)


@given(DECIMALS | WHOLE)
def test_a_number_keeps_its_text_all_the_way(text: str) -> None:
    held = exact_json.dumps(exact_json.loads(f'{{"Total": {text}}}'))
    assert held == f'{{"Total":{text}}}'.encode()
    assert parse(held) == {"Total": text}


@pytest.mark.parametrize("text", ["NaN", "Infinity", "9223372036854775808", "1e", "--1"])
def test_what_is_no_number_of_a_record_is_not_held(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        exact_json.loads(text)
