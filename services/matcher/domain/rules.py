"""The rules that ask for a person before anything is posted."""

from __future__ import annotations

from collections.abc import Sequence

from libs.contracts.entities import Bill
from services.matcher.domain.eligible import Grounds
from services.matcher.domain.policy import Policy


def asks_for_person(bill: Bill, policy: Policy, *, is_crowded: bool, duplicates: Sequence[str]) -> Grounds | None:
    """The first rule that wants a person to look before this bill is posted; None when none does."""
    if is_crowded:
        sentence = (
            "Qonto has supplier invoices of this supplier over this amount, and too many bills are alike to tell them "
            "apart; a person must say which is which."
        )
        return Grounds("too_many_alike", sentence)
    if policy.asks_possible_duplicate and duplicates:
        sentence = (
            "Another bill in Xero has the same supplier, number and total. If both are one, void one of them; "
            "if not, post this one as well."
        )
        return Grounds("possible_duplicate", sentence)
    if policy.asks_without_document and not bill.has_document:
        sentence = "The bill has no document in Xero, so there is nothing to post. Attach the supplier's PDF there."
        return Grounds("no_document", sentence)
    limit = policy.asks_above
    if limit and bill.total and bill.total.currency == limit.currency and bill.total.minor > limit.minor:
        return Grounds("amount_above", f"The total is above {limit}, the limit up to which bills are posted unseen.")
    return None
