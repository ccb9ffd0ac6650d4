"""A consent under way."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.contracts.errors import Malformed, Rejected
from services.auth.domain.consent import PendingConsent, begin, challenge_of, missing_scopes
from services.auth.domain.plain_words import plain_words


def test_the_challenge_is_that_of_the_rfc() -> None:
    # RFC 7636, appendix B
    assert challenge_of("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk") == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


def test_a_pending_consent_survives_storage() -> None:
    pending = begin("xero", ("a",), "/consents/mcp?request=x", loopback="http://localhost:1/")
    assert PendingConsent.from_bytes(pending.to_bytes()) == pending
    assert 43 <= len(pending.verifier) <= 128
    assert pending.verifier not in repr(pending)


def test_bytes_of_something_else_are_malformed() -> None:
    with pytest.raises(Malformed):
        PendingConsent.from_bytes(b"{}")


@given(rest=st.text(max_size=40))
def test_only_paths_of_our_own_are_returned_to(rest: str) -> None:
    for address in (f"https://{rest}", f"//{rest}", f"\\{rest}", f"http:{rest}"):
        with pytest.raises(Rejected):
            begin("qonto", (), address)


def test_a_scope_without_words_of_ours_is_shown_rather_than_left_out() -> None:
    assert plain_words(["unheard.of"]) == ["use the permission “unheard.of”"]


def test_lasting_access_need_not_be_named_among_what_was_granted() -> None:
    asked = ("offline_access", "bills.read", "files.read")
    assert missing_scopes(asked, ("bills.read",)) == ("files.read",)
