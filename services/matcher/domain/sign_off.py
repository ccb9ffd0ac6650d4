"""What a person answered to a review, and for how long it holds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Answer:
    """A person's answer: link to this supplier invoice, post as a new one, or never.

    `basis_sha256` is of the bill as the answered decision saw it. `link` and `post` hold for that version only: who
    changes the bill in Xero asks anew. `never` holds for good.
    """

    answer: Literal["link", "post", "never"]
    basis_sha256: str
    invoice_id: str | None = None

    def holds_for(self, basis_sha256: str) -> bool:
        """Whether it still answers for a bill with this basis."""
        return self.answer == "never" or self.basis_sha256 == basis_sha256
