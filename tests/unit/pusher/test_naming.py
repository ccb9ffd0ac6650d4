"""Names of postings."""

from __future__ import annotations

from uuid import UUID

import pytest

from libs.contracts.upload_name import is_upload_name, token_of
from services.pusher.domain.naming import file_name_of, posting_id
from tests.unit.pusher.stories import BILL, WORKSPACE

POSTING = UUID("0123456789abcdef0123456789abcdef")


@pytest.mark.parametrize(
    ("number", "name"),
    [
        ("INV-2026-04-100", "INV-2026-04-100-0123456789ab.pdf"),
        ("RE 17/2026 ", "RE-17-2026-0123456789ab.pdf"),
        ("Facture n° 12é", "Facture-n-12e-0123456789ab.pdf"),
        ("../../etc/passwd", "etc-passwd-0123456789ab.pdf"),
        ('x"; filename="y\r\n', "x-filename-y-0123456789ab.pdf"),
        ("№", "No-0123456789ab.pdf"),
        ("発票", "bill-0123456789ab.pdf"),
        ("---", "bill-0123456789ab.pdf"),
        (None, "bill-0123456789ab.pdf"),
        ("A" * 100, "A" * 40 + "-0123456789ab.pdf"),
    ],
)
def test_a_file_name_holds_the_number_as_far_as_it_can_and_the_token(number: str | None, name: str) -> None:
    assert file_name_of(POSTING, number, "application/pdf") == name
    assert token_of(POSTING) in name
    assert is_upload_name(name)


@pytest.mark.parametrize("name", [None, "", "invoice-2026.pdf", "0123456789ab.pdf", "INV-1-0123456789abc.pdf"])
def test_a_file_of_somebody_else_is_not_called_so(name: str | None) -> None:
    assert not is_upload_name(name)


def test_pictures_keep_their_kind() -> None:
    assert file_name_of(POSTING, "1", "image/jpeg").endswith(".jpg")
    assert file_name_of(POSTING, "1", "image/png").endswith(".png")


def test_the_same_intent_has_the_same_name_and_any_other_has_another() -> None:
    first = posting_id(WORKSPACE, BILL, "a" * 64, 1)
    assert first == posting_id(WORKSPACE, BILL, "a" * 64, 1)
    others = {
        posting_id(UUID(int=1), BILL, "a" * 64, 1),
        posting_id(WORKSPACE, "xero/bill/b2", "a" * 64, 1),
        posting_id(WORKSPACE, BILL, "b" * 64, 1),
        posting_id(WORKSPACE, BILL, "a" * 64, 2),
    }
    assert len(others | {first}) == 5
