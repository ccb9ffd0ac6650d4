"""What a person may answer, and when. Pure."""

from __future__ import annotations

from typing import Literal

from libs.contracts.errors import Rejected
from libs.contracts.events import SignedOff
from services.console.domain.view import BillView

Answer = Literal["link", "post", "never"]


def signed_off(view: BillView, answer: Answer, *, invoice_id: str | None, by: str, note: str | None) -> SignedOff:
    """The sign-off for an answer.

    Raises:
        Rejected: `not_waiting` when the bill waits for nobody; `no_such_candidate` when the supplier invoice to link is
            none of those shown with the decision; `which_one` when several fit what was named, or none was.
    """
    if view.decision is None or not view.waits:
        raise Rejected(
            "This bill does not wait for an answer; `well trail show` tells how it stands.", code="not_waiting"
        )
    if answer == "link":
        invoice_id = _chosen(view, invoice_id)
    return SignedOff(
        answer=answer,
        generation=view.decision.generation,
        invoice_id=invoice_id if answer == "link" else None,
        by=by,
        note=note,
        decision=view.decision.id,
    )


def _chosen(view: BillView, invoice_id: str | None) -> str:
    shown = [candidate.invoice_id for candidate in view.decision.candidates] if view.decision else []
    if invoice_id is None:
        if len(shown) != 1:
            raise Rejected(f"There are {len(shown)} candidates: name one with --link-to.", code="which_one")
        return shown[0]
    matching = [shown_id for shown_id in shown if shown_id.startswith(invoice_id)]
    if len(matching) > 1:
        raise Rejected("Several candidates begin like that; give more of the id.", code="which_one")
    if not matching:
        raise Rejected("That supplier invoice is none of the candidates of this bill.", code="no_such_candidate")
    return matching[0]
