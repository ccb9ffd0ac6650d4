"""What is sealed for one place opens there, under the workspace's own keys, and nowhere else."""

from __future__ import annotations

import os
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.contracts.errors import Malformed
from libs.crypto.seal import BLIND_BYTES, DataKey, WorkspaceKeys, WorkspaceSeal

WORDS = b"FA-2026-0117"
HERE = {"table": "matcher.bill", "row": "8f2d", "column": "sealed"}


def _keys(workspace: UUID, *keys: DataKey, index_secret: bytes = b"i" * 32) -> WorkspaceKeys:
    return WorkspaceKeys(workspace, keys[0], {key.id: key for key in keys}, index_secret)


def _key() -> DataKey:
    return DataKey(uuid4(), os.urandom(32))


KEY = _key()
WORKSPACE = uuid4()
SEAL = WorkspaceSeal(_keys(WORKSPACE, KEY))
SEALED = SEAL.seal(WORDS, **HERE)


@given(st.binary(max_size=200), st.text(max_size=20))
def test_whatever_is_sealed_opens_where_it_was_sealed(plain: bytes, row: str) -> None:
    assert SEAL.open(SEAL.seal(plain, table="t", row=row, column="c"), table="t", row=row, column="c") == plain


@pytest.mark.parametrize("moved", [{"table": "pusher.posting"}, {"row": "8f2e"}, {"column": "note"}])
def test_a_value_moved_to_another_place_does_not_open(moved: dict[str, str]) -> None:
    with pytest.raises(Malformed) as refused:
        SEAL.open(SEALED, **{**HERE, **moved})
    assert refused.value.code == "not_sealed_here"


def test_a_value_does_not_open_in_another_workspace_even_under_the_same_key() -> None:
    with pytest.raises(Malformed):
        WorkspaceSeal(_keys(uuid4(), KEY)).open(SEALED, **HERE)


def test_a_value_does_not_open_under_the_name_of_another_key_even_with_the_same_secret() -> None:
    twin = DataKey(uuid4(), KEY.secret)
    renamed = SEALED[:1] + twin.id.bytes + SEALED[17:]
    with pytest.raises(Malformed):
        WorkspaceSeal(_keys(WORKSPACE, KEY, twin)).open(renamed, **HERE)


@given(st.integers(0, len(SEALED) - 1), st.integers(1, 255))
def test_a_value_with_one_byte_altered_does_not_open(place: int, change: int) -> None:
    altered = bytearray(SEALED)
    altered[place] ^= change
    with pytest.raises(Malformed) as refused:
        SEAL.open(bytes(altered), **HERE)
    assert refused.value.code == "not_sealed_here"


@given(st.integers(0, len(SEALED) - 1))
def test_a_value_cut_short_does_not_open(length: int) -> None:
    with pytest.raises(Malformed):
        SEAL.open(SEALED[:length], **HERE)


def test_what_an_earlier_key_sealed_still_opens_after_a_rotation() -> None:
    new = _key()
    rotated = WorkspaceSeal(_keys(WORKSPACE, new, KEY))
    assert rotated.open(SEALED, **HERE) == WORDS
    resealed = rotated.seal(WORDS, **HERE)
    assert resealed[1:17] == new.id.bytes
    with pytest.raises(Malformed):
        SEAL.open(resealed, **HERE)


def test_what_a_destroyed_key_sealed_never_opens_again() -> None:
    with pytest.raises(Malformed):
        WorkspaceSeal(_keys(WORKSPACE, _key())).open(SEALED, **HERE)


def test_the_same_words_are_sealed_differently_each_time() -> None:
    assert SEAL.seal(WORDS, **HERE) != SEAL.seal(WORDS, **HERE)


def test_a_refusal_names_the_column_and_neither_the_row_nor_the_words() -> None:
    with pytest.raises(Malformed) as refused:
        SEAL.open(SEALED[:-1], **HERE)
    assert "matcher.bill.sealed" in refused.value.sentence
    assert "8f2d" not in refused.value.sentence


def test_a_blind_value_is_stable_and_differs_by_label_value_and_workspace() -> None:
    other = WorkspaceSeal(_keys(uuid4(), _key(), index_secret=b"j" * 32))
    blinds = [
        SEAL.blind("record", "a"),
        SEAL.blind("number", "a"),
        SEAL.blind("record", "b"),
        other.blind("record", "a"),
    ]
    assert len(set(blinds)) == len(blinds)
    assert {len(blind) for blind in blinds} == {BLIND_BYTES}
    assert SEAL.blind("record", "a") == WorkspaceSeal(_keys(WORKSPACE, _key())).blind("record", "a")


def test_no_secret_shows_when_keys_are_printed() -> None:
    keys = _keys(WORKSPACE, DataKey(uuid4(), b"secret-of-thirty-two-bytes-long!"), index_secret=b"index-secret")
    assert "secret-of" not in repr(keys)
    assert "index-secret" not in repr(keys)
