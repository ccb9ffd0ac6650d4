"""From the records around a bill to the case that is decided.

Two records meet when they share a key that few records have, on both sides. That relation is the same seen from the
bill and from the supplier invoice; so two bills that want one supplier invoice always see each other, whichever is
decided first and in whatever batch.

Each bill has an instant (`BillRow.heeds_until`) up to which Well's own doings count for it. What Well uploaded later is
not there for that bill, neither as a supplier invoice nor among those that share a key; and a bill posted later is
still a rival of it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from services.matcher.domain.blocking import KEY_HOLDERS_MAX, keys_of, number_and_peer_keys_of, peer_key_of
from services.matcher.domain.compare import Compared, compare
from services.matcher.domain.confidence import odds_of
from services.matcher.domain.decide import Case
from services.matcher.domain.eligible import is_eligible
from services.matcher.domain.option import PLAUSIBLE_BITS, Option, best_of, veto_of
from services.matcher.domain.side import Side, side_of
from services.matcher.domain.standing import BillRow, InvoiceRow


@dataclass(frozen=True, slots=True)
class Holders:
    """Who shares a key, by id; at most one more than `KEY_HOLDERS_MAX` a side, which is enough to know.

    Attributes:
        bills: Bills, in the order of their ids.
        invoices: Supplier invoices, in the order of their ids.
        uploaded: Those supplier invoices that Well uploaded itself, with when, the earliest first. They stand behind
            the others where the side is cut, so that whatever is left out is later than what is not.
    """

    bills: tuple[str, ...] = ()
    invoices: tuple[str, ...] = ()
    uploaded: tuple[tuple[str, datetime], ...] = ()

    def until(self, instant: datetime) -> Holders:
        """Who shares it when of Well's uploads those count that were there at an instant."""
        if not self.uploaded:
            return self
        return Holders(self.bills, (*self.invoices, *(id_ for id_, at in self.uploaded if at <= instant)))

    @property
    def tells_apart(self) -> bool:
        """Whether few enough share it."""
        return len(self.bills) <= KEY_HOLDERS_MAX and len(self.invoices) <= KEY_HOLDERS_MAX


@dataclass
class Neighbourhood:
    """The records around some bills, as far as they were read.

    Attributes:
        holders: Who shares which key.
        bills: Bills by id.
        invoices: Supplier invoices by id.
        claims: The bill that each supplier invoice belongs to.
    """

    holders: dict[str, Holders] = field(default_factory=dict)
    bills: dict[str, BillRow] = field(default_factory=dict)
    invoices: dict[str, InvoiceRow] = field(default_factory=dict)
    claims: dict[str, str] = field(default_factory=dict)
    _bill_sides: dict[str, Side] = field(default_factory=dict)
    _bill_keys: dict[str, frozenset[str]] = field(default_factory=dict)
    _invoice_keys: dict[str, frozenset[str]] = field(default_factory=dict)
    _invoice_sides: dict[str, Side] = field(default_factory=dict)

    def keys_of_bill(self, row: BillRow) -> frozenset[str]:
        """The blocking keys of a bill; a bill that takes no part has none."""
        keys = self._bill_keys.get(row.bill_id)
        if keys is None:
            takes_part = is_eligible(row.bill, row.withdrawn)
            keys = self._bill_keys[row.bill_id] = frozenset(keys_of(self._bill_side(row)) if takes_part else ())
        return keys

    def keys_of_invoice(self, invoice_id: str) -> frozenset[str]:
        """The blocking keys of a supplier invoice that was read."""
        keys = self._invoice_keys.get(invoice_id)
        if keys is None:
            keys = self._invoice_keys[invoice_id] = frozenset(keys_of(self._invoice_side(invoice_id)))
        return keys

    def invoices_met(self, row: BillRow) -> set[str]:
        """Ids of the supplier invoices a bill meets."""
        telling = self._telling(self.keys_of_bill(row), row.heeds_until)
        return {id_ for holders in telling for id_ in holders.invoices}

    def bills_met(self, row: InvoiceRow, until: datetime) -> set[str]:
        """Ids of the bills a supplier invoice meets, for a bill that heeds Well's own doings until an instant."""
        telling = self._telling(self.keys_of_invoice(row.invoice_id), until)
        return {id_ for holders in telling for id_ in holders.bills}

    def peers(self, row: BillRow) -> set[str]:
        """Ids of the other bills with the same number and the same supplier and amount, as far as keys tell."""
        if not self.keys_of_bill(row):
            return set()
        wanted = number_and_peer_keys_of(self._bill_side(row))
        holders = [set(telling.bills) for telling in self._telling(wanted, row.heeds_until)]
        return set.intersection(*holders) - {row.bill_id} if holders else set()

    def unread_peer_keys(self, rows: Iterable[BillRow]) -> list[str]:
        """The keys that tell whether these bills repeat an amount, as far as they were not read."""
        keys = {key for row in rows if self.keys_of_bill(row) and (key := peer_key_of(self._bill_side(row)))}
        return sorted(keys - self.holders.keys())

    def plausible(self, row: BillRow) -> list[tuple[str, Compared]]:
        """The supplier invoices a bill may be, best first; none for a bill that takes no part."""
        if not self.keys_of_bill(row):
            return []
        ours = self._bill_side(row)
        is_repeated = self._is_repeated(ours, row.heeds_until)
        met = sorted(id_ for id_ in self.invoices_met(row) if id_ in self.invoices)
        return best_of((id_, compare(ours, self._invoice_side(id_), is_repeated=is_repeated)) for id_ in met)

    def case_of(self, row: BillRow, plausible: Iterable[tuple[str, Compared]]) -> Case:
        """The case of a bill, once its rivals, peers and claims were read."""
        answer = row.answer if row.answer and row.answer.holds_for(row.basis_sha256) else None
        return Case(
            bill=row.bill,
            withdrawn=row.withdrawn,
            options=[self._option(row, id_, compared) for id_, compared in plausible],
            duplicates=[id_ for id_ in sorted(self.peers(row)) if self._repeats(row, id_)],
            is_crowded=self._is_crowded(row),
            posted=row.posted,
            answer=answer,
            is_answer_taken=bool(answer and answer.invoice_id and self._is_taken(row, answer.invoice_id)),
        )

    def _option(self, row: BillRow, invoice_id: str, compared: Compared) -> Option:
        known = self.invoices[invoice_id]
        until = row.heeds_until
        met = sorted(self.bills_met(known, until) - {row.bill_id})
        rivals = [odds for id_ in met if (odds := self._odds(id_, invoice_id, until))]
        owner = self.claims.get(invoice_id)
        veto = veto_of(
            self._bill_side(row).total,
            known.invoice,
            is_withdrawn=known.is_withdrawn,
            is_claimed=owner is not None and owner != row.bill_id,
        )
        return Option(known.invoice, compared, math.fsum(rivals), len(rivals), veto)

    def _odds(self, bill_id: str, invoice_id: str, until: datetime) -> float:
        """The odds of a rival; none for a bill whose supplier invoice was settled as another one by then."""
        rival = self._taking_part(bill_id)
        if rival is None or rival.fixed_by(until) not in (None, invoice_id):
            return 0.0
        ours = self._bill_side(rival)
        bits = compare(ours, self._invoice_side(invoice_id), is_repeated=self._is_repeated(ours, until)).bits
        return odds_of(bits) if bits >= PLAUSIBLE_BITS else 0.0

    def _is_repeated(self, ours: Side, until: datetime) -> bool:
        """Whether a supplier bills this amount more than once."""
        holders = self._holding(peer_key_of(ours), until)
        return holders is not None and (len(holders.bills) > 1 or len(holders.invoices) > 1)

    def _is_crowded(self, row: BillRow) -> bool:
        """Whether the same supplier's records over the same amount are too many to be compared, and Qonto has some."""
        key = peer_key_of(self._bill_side(row)) if self.keys_of_bill(row) else None
        holders = self._holding(key, row.heeds_until)
        return holders is not None and not holders.tells_apart and bool(holders.invoices)

    def _repeats(self, row: BillRow, other_id: str) -> bool:
        other = self._taking_part(other_id)
        if other is None:
            return False
        ours, theirs = self._bill_side(row), self._bill_side(other)
        return (
            ours.reference is not None
            and theirs.reference is not None
            and ours.reference.plain == theirs.reference.plain
            and ours.total == theirs.total
            and ours.name == theirs.name
        )

    def _is_taken(self, row: BillRow, invoice_id: str) -> bool:
        if row.fixed_invoice_id == invoice_id:
            return False
        owner = self.claims.get(invoice_id)
        other = self.bills.get(owner) if owner and owner != row.bill_id else None
        is_fixed = other is not None and other.fixed_invoice_id == invoice_id
        return is_fixed or invoice_id not in self.invoices or self.invoices[invoice_id].is_gone

    def _telling(self, keys: Iterable[str], until: datetime) -> list[Holders]:
        return [held for key in keys if (held := self._holding(key, until)) is not None and held.tells_apart]

    def _holding(self, key: str | None, until: datetime) -> Holders | None:
        holders = self.holders.get(key) if key else None
        return holders.until(until) if holders is not None else None

    def _taking_part(self, bill_id: str) -> BillRow | None:
        """The bill, unless it left since its keys were read."""
        row = self.bills.get(bill_id)
        return row if row is not None and self.keys_of_bill(row) else None

    def _bill_side(self, row: BillRow) -> Side:
        side = self._bill_sides.get(row.bill_id)
        if side is None:
            if row.bill is None:
                raise ValueError("a bill that cannot be read has no keys, and so meets nobody")
            side = self._bill_sides[row.bill_id] = side_of(row.bill)
        return side

    def _invoice_side(self, invoice_id: str) -> Side:
        side = self._invoice_sides.get(invoice_id)
        if side is None:
            side = self._invoice_sides[invoice_id] = side_of(self.invoices[invoice_id].invoice)
        return side
