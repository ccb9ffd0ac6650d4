"""What lies on the table in one transaction: bills, their postings, and the events that change them.

Everything that makes, withdraws or ends a posting goes through here, so that one rule holds whatever came first: a bill
has at most one live posting, and its newest decision is the one that counts as soon as nothing is under way.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from libs.contracts.envelope import Envelope
from libs.contracts.events import DocumentFetched, DocumentMissing, MatchDecided
from services.pusher.domain.bill import Bill, Verdict, answer
from services.pusher.domain.naming import file_name_of, posting_id
from services.pusher.domain.posting import Posting, State
from services.pusher.domain.telling import Teller, Told

_OVERTAKEN = "The bill was decided anew before it was sent; the newer decision counts."


class Desk:
    """The bills and postings of one transaction.

    Attributes:
        tell: Tells moves at the instant of this transaction.
        events: What happened, in order.
    """

    def __init__(self, workspace: UUID, bills: Mapping[str, Bill], postings: Iterable[Posting], now: datetime) -> None:
        self.tell = Teller(workspace, now)
        self.events: list[Envelope] = []
        self._workspace = workspace
        self._bills = dict(bills)
        self._postings = {posting.id: posting for posting in postings}
        self._before = dict(self._bills), dict(self._postings)

    def hear(self, event: Envelope) -> None:
        """Take in a decision or a document; what was heard before, or is older than what is known, changes nothing."""
        bill = self._bills.get(event.record) or Bill(event.record)
        match event.payload:
            case MatchDecided() as decided if decided.generation > bill.generation:
                if decided.verdict == "post" or event.record in self._bills:
                    self._decide(bill, decided, event.id)
            case DocumentFetched() | DocumentMissing() as arrived if arrived.generation > bill.document_generation:
                self._bills[event.record] = bill.documented(arrived)
            case _:
                return
        self.go_on(event.record, event.id)

    def posting(self, posting: UUID) -> Posting:
        """A posting as it stands now.

        Raises:
            KeyError: It does not lie here.
        """
        return self._postings[posting]

    def wants(self, posting: Posting) -> bool:
        """Whether the bill's newest decision is still the one that made the posting."""
        return self._bills[posting.record].generation == posting.generation

    def put(self, told: Told) -> None:
        """Lay down a posting as it stands now, with the event that says so."""
        self._postings[told.posting.id] = told.posting
        self.events.append(told.event)

    def keep(self, posting: Posting) -> None:
        """Lay down a posting of which nothing new is to be told, only when it is due."""
        self._postings[posting.id] = posting

    def go_on(self, record: str, cause: UUID) -> None:
        """Withdraw what was overtaken before it was sent; then, if both halves of the bill are here, answer it."""
        bill = self._bills.get(record)
        if bill is None:
            return
        for posting in self._of(record):
            if posting.state is State.INTENDED and not self.wants(posting):
                self.put(self.tell.withdrawn(posting, "overtaken", _OVERTAKEN, cause=cause))
        if bill.complete:
            self._answer(bill, cause)

    @property
    def changed_bills(self) -> list[Bill]:
        """Bills that are no longer as they were laid down."""
        return [bill for record, bill in self._bills.items() if self._before[0].get(record) != bill]

    @property
    def new_postings(self) -> list[Posting]:
        """Postings made here."""
        return [posting for id_, posting in self._postings.items() if id_ not in self._before[1]]

    @property
    def changed_postings(self) -> list[Posting]:
        """Postings that were laid down and are no longer as they were."""
        before = self._before[1]
        return [posting for id_, posting in self._postings.items() if id_ in before and before[id_] != posting]

    def _of(self, record: str) -> list[Posting]:
        return [posting for posting in self._postings.values() if posting.record == record]

    def _decide(self, bill: Bill, decided: MatchDecided, event: UUID) -> None:
        if bill.waits:
            waiting = bill.posting(self._name(bill, None), event)
            self.put(self.tell.withdrawn(waiting, "overtaken", _OVERTAKEN, cause=event))
        self._bills[bill.record] = bill.deciding(decided)

    def _answer(self, bill: Bill, cause: UUID) -> None:
        verdict, code, sentence = answer(bill, self._of(bill.record))
        if verdict is Verdict.WAIT:
            return
        document = bill.document
        waiting = bill.posting(self._name(bill, document.sha256 if document else None), cause)
        if verdict is Verdict.REFUSE or document is None:
            self.put(self.tell.rejected(waiting, code, sentence, cause=cause))
        else:
            number = bill.expected.number if bill.expected else None
            name = file_name_of(waiting.id, number, document.mime_type)
            self.put(self.tell.intended(waiting, document.sha256, name, cause=cause))
        self._bills[bill.record] = replace(bill, answered=bill.generation)

    def _name(self, bill: Bill, sha256: str | None) -> UUID:
        return posting_id(self._workspace, bill.record, sha256, bill.generation)
