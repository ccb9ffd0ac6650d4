"""What is so in the made-up books, against which every decision can be judged."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

from pydantic import BaseModel, ConfigDict


class Truth(BaseModel):
    """Which bills Qonto already has, and where the awkward cases are.

    Attributes:
        in_qonto: Bill id to the id of the Qonto invoice that was read from the same document.
        orphans: Ids of Qonto invoices that no bill in Xero belongs to.
        awkward: Name of a case to the id of its bill; `merged_contact` and `archived_contact` name a contact.
        alike: Groups of bills with one supplier, number, date and total. Each is a bill of its own, yet nobody can
            tell from the documents which of them Qonto holds.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    in_qonto: dict[str, str]
    orphans: tuple[str, ...] = ()
    awkward: dict[str, str] = {}
    alike: tuple[tuple[str, ...], ...] = ()

    def is_right_link(self, bill_id: str, qonto_id: str) -> bool:
        """Whether the Qonto invoice was read from this bill, or from one that nobody could tell from it."""
        return any(self.in_qonto.get(twin) == qonto_id for twin in self._twins.get(bill_id, (bill_id,)))

    @cached_property
    def _twins(self) -> dict[str, tuple[str, ...]]:
        return {bill_id: group for group in self.alike for bill_id in group}

    def save(self, path: Path) -> None:
        """Write it as JSON."""
        path.write_text(self.model_dump_json(indent=1), encoding="utf-8")

    @classmethod
    def load(cls, path: Path) -> Truth:
        """Read what `save` wrote."""
        return cls.model_validate_json(path.read_bytes())
