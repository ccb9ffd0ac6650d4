"""Opaque tokens of our own."""

from __future__ import annotations

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from libs.crypto.bearer import mint, parse


@given(workspace=st.uuids())
def test_a_token_names_its_workspace_and_is_found_by_its_hash(workspace: UUID) -> None:
    minted = mint(workspace)
    read = parse(minted.text)
    assert read is not None
    assert (read.workspace, read.sha256) == (workspace, minted.sha256)
    assert minted.text not in repr(minted)


@given(text=st.text())
def test_any_text_is_read_or_refused_without_an_error(text: str) -> None:
    read = parse(text)
    assert read is None or text.count(".") >= 1


def test_a_text_longer_than_any_token_is_refused_unread() -> None:
    assert parse(mint(UUID(int=1)).text + "x" * 1000) is None
