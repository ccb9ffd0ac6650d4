"""Answers that are none of auth's are told apart from those that are."""

from __future__ import annotations

from uuid import uuid4

import orjson
import pytest

from libs.auth_client.call import answer_as
from libs.auth_client.wire import Keys, keys_of, keys_told
from libs.contracts.errors import Transient
from libs.crypto.seal import DataKey, WorkspaceKeys

KEY = DataKey(uuid4(), b"s" * 32)
KEYS = WorkspaceKeys(uuid4(), KEY, {KEY.id: KEY}, b"i" * 32)


def test_keys_arrive_as_they_were() -> None:
    assert keys_of(answer_as(keys_told(KEYS).model_dump_json().encode(), Keys)) == KEYS


def test_what_a_newer_auth_says_besides_is_passed_over() -> None:
    told = keys_told(KEYS).model_dump(mode="json") | {"besides": 1}
    assert keys_of(answer_as(orjson.dumps(told), Keys)) == KEYS


@pytest.mark.parametrize("bent", [{"current": str(uuid4())}, {"by_id": {}}, {"index_secret": "s"}])
def test_keys_that_cannot_be_used_are_none(bent: dict[str, object]) -> None:
    told = keys_told(KEYS).model_dump(mode="json") | bent
    with pytest.raises(Transient, match="none of auth's") as none:
        answer_as(orjson.dumps(told), Keys)
    assert KEY.secret.hex() not in repr(none.value)
