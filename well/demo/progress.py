"""How far a run is, as counts that every form of showing it shares."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

if TYPE_CHECKING:
    from well.all_in_one import AllInOne

_LIVE_POSTINGS: Final = ("waiting", "intended", "sent", "unknown", "settled")
"""States a posting leaves by itself; `settled` becomes verified or differs once Qonto has read the document, and
unchecked when it does not in time."""


@dataclass(frozen=True)
class Progress:
    """Counts of one workspace at one moment.

    Attributes:
        records: Invoice records in the stand-in Xero.
        contacts, bills, invoices: Pulled so far: from Xero, from Xero, from Qonto.
        verdicts: Bills by standing verdict.
        due: Bills to be decided.
        documents: Document jobs by state.
        postings: Postings by state.
        waits: Bills that wait for a person.
        xero, qonto: The states of the connections.
        sentence: What holds something up just now, in words; None when nothing does.
    """

    records: int
    contacts: int
    bills: int
    invoices: int
    verdicts: dict[str, int]
    due: int
    documents: dict[str, int]
    postings: dict[str, int]
    waits: int
    xero: str
    qonto: str
    sentence: str | None

    @property
    def decided(self) -> int:
        """Bills with a decision."""
        return sum(self.verdicts.values())

    @property
    def fetched(self) -> int:
        """Documents that are here, or that will not be."""
        return self.documents.get("done", 0) + self.documents.get("missing", 0)

    @property
    def ended(self) -> int:
        """Postings that stand where they will stay."""
        return sum(count for state, count in self.postings.items() if state not in _LIVE_POSTINGS)

    @property
    def finished(self) -> bool:
        """Whether nothing is left that happens by itself."""
        still_posting = any(self.postings.get(state) for state in _LIVE_POSTINGS)
        unposted = self.verdicts.get("post", 0) - self.ended
        return (
            self.decided >= self.records
            and self.due == 0
            and unposted <= 0
            and not still_posting
            and not self.documents.get("waiting")
        )


async def progress_of(well: AllInOne, workspace: UUID, records: int) -> Progress:
    """Ask how far a workspace is."""
    standing = await well.status.of(workspace)
    pulled: dict[str, int] = {}
    for pull in standing["pulls"].values():
        for kind, count in pull["pulled"].items():
            pulled[kind] = pulled.get(kind, 0) + count
    decisions: dict[str, int] = dict(standing["decisions"])
    due = decisions.pop("due", 0)
    return Progress(
        records=records,
        contacts=pulled.get("contact", 0),
        bills=pulled.get("bill", 0),
        invoices=pulled.get("supplier_invoice", 0),
        verdicts=decisions,
        due=due,
        documents=standing["documents"],
        postings=standing["postings"],
        waits=standing["waits_for_a_person"],
        xero=standing["connections"]["xero"],
        qonto=standing["connections"]["qonto"],
        sentence=_sentence_of(standing, well) or _not_connected(standing["connections"]),
    )


def _sentence_of(standing: dict[str, Any], well: AllInOne) -> str | None:
    sentences = [pull["sentence"] for pull in standing["pulls"].values()]
    sentences += [each.sentence for each in well.status.at_work()]
    return next((sentence for sentence in sentences if sentence), None)


def _not_connected(states: dict[str, str]) -> str | None:
    """A connection that was lost is asked for nothing, and so says nothing of itself."""
    return next(
        (f"The connection to {name.title()} is {state}." for name, state in states.items() if state != "active"), None
    )
