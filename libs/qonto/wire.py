"""What Qonto's answers look like to us. Tolerant: Qonto adds fields, statuses and shapes within v2 at any time.

A field that is missing, or of a kind we do not know, reads as None; nothing but a missing id stops a record from being
read. Each record keeps Qonto's own words in `raw`, character for character, so nothing is lost by reading leniently.

Source: docs.qonto.com, "Versioning" (what may change within v2) and "List supplier invoices" (the attributes).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated, Final, TypeAlias

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError

from libs.contracts.errors import Malformed, Transient
from libs.contracts.money import Money, money_from_text
from libs.qonto.words import Json, Record

_COUNT: Final = re.compile(r"[0-9]{1,15}")


def _text(value: object) -> str | None:
    """A text; half a surrogate pair, which JSON can hold and UTF-8 cannot, becomes a question mark."""
    return value.encode(errors="replace").decode() if isinstance(value, str) else None


def _flag(value: object) -> bool:
    return value is True


def _moment(value: object) -> datetime | None:
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
    return moment if moment is not None and moment.tzinfo is not None else None


def _day(value: object) -> date | None:
    try:
        return date.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None


def _amount(value: object) -> object:
    known = {key: _text(value.get(key)) for key in ("value", "currency")} if isinstance(value, dict) else {}
    return known if all(known.values()) and known else None


def _ids(value: object) -> tuple[str, ...]:
    """Ids, or the ids in objects: older answers hold uuids, newer ones objects with a `transaction_id`."""
    entries = value if isinstance(value, list) else []
    ids = [entry.get("transaction_id") if isinstance(entry, dict) else entry for entry in entries]
    return tuple(id_ for id_ in map(_text, ids) if id_)


Text: TypeAlias = Annotated[str | None, BeforeValidator(_text)]
Flag: TypeAlias = Annotated[bool, BeforeValidator(_flag)]
Moment: TypeAlias = Annotated[datetime | None, BeforeValidator(_moment)]
Day: TypeAlias = Annotated[date | None, BeforeValidator(_day)]


class _Wire(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class Amount(_Wire):
    """An amount as Qonto writes it: a decimal text and a currency, neither of them checked."""

    value: str
    currency: str

    def money(self) -> Money:
        """The amount in minor units.

        Raises:
            Malformed: `unknown_currency` or `bad_amount`.
        """
        return money_from_text(self.value, self.currency)


LenientAmount: TypeAlias = Annotated[Amount | None, BeforeValidator(_amount)]


class SupplierInvoice(_Wire):
    """A supplier invoice. What OCR has not read yet, or could not, is None.

    Attributes:
        status: Verbatim; `to_review` for a new one, and any word Qonto may add.
        analyzed_at: When OCR was done; None before.
        matched_transactions: Ids of transactions, from either of the two shapes Qonto uses.
        raw: The record as Qonto wrote it, JSON text.
    """

    id: str
    organization_id: Text = None
    status: Text = None
    file_name: Text = None
    attachment_id: Text = None
    display_attachment_id: Text = None
    source: Text = None
    source_type: Text = None
    created_at: Moment = None
    updated_at: Moment = None
    analyzed_at: Moment = None
    invoice_number: Text = None
    supplier_name: Text = None
    description: Text = None
    vat_number: Text = None
    tin: Text = None
    iban: Text = None
    total_amount: LenientAmount = None
    total_amount_excluding_taxes: LenientAmount = None
    total_tax_amount: LenientAmount = None
    payable_amount: LenientAmount = None
    issue_date: Day = None
    due_date: Day = None
    payment_date: Day = None
    is_einvoice: Flag = False
    is_credit_note: Flag = False
    has_duplicates: Flag = False
    attachment_category: Text = None
    declined_note: Text = None
    matched_transactions: Annotated[tuple[str, ...], BeforeValidator(_ids)] = ()
    raw: str


class Page(_Wire):
    """A page of a list, in Qonto's order. `next_page` is None on the last one."""

    invoices: tuple[SupplierInvoice, ...]
    next_page: int | None
    total_count: int | None


class Organization(_Wire):
    """The organization a token is bound to."""

    id: str
    slug: Text = None
    name: Text = None
    legal_name: Text = None
    legal_country: Text = None
    raw: str


class Attachment(_Wire):
    """A file Qonto holds.

    Attributes:
        url: Where its bytes are, for 30 minutes and without a token.
        file_size: Bytes, as a text.
    """

    id: str
    file_name: Text = None
    file_size: Text = None
    file_content_type: Text = None
    url: Text = None
    created_at: Moment = None
    raw: str


def supplier_invoice(record: Record, raw: str) -> SupplierInvoice:
    """A supplier invoice from its JSON object and the text it was read from.

    Raises:
        Malformed: it has no id.
    """
    try:
        return SupplierInvoice.model_validate({**record, "raw": raw})
    except ValidationError:
        raise _without_id("supplier invoice") from None


def organization(record: Record, raw: str) -> Organization:
    """An organization, in the same way.

    Raises:
        Malformed: it has no id.
    """
    try:
        return Organization.model_validate({**record, "raw": raw})
    except ValidationError:
        raise _without_id("organization") from None


def attachment(record: Record, raw: str) -> Attachment:
    """An attachment, in the same way; an ampersand of the url that was escaped twice is one again.

    Raises:
        Malformed: it has no id.
    """
    url = record.get("url")
    mended = {"url": url.replace("\\u0026", "&")} if isinstance(url, str) else {}
    try:
        return Attachment.model_validate({**record, **mended, "raw": raw})
    except ValidationError:
        raise _without_id("attachment") from None


def check_page(meta: Json, page: int) -> None:
    """Return when an answer is the page that was asked for, or does not say which it is.

    Raises:
        Transient: it says that it is another one; a proxy's, kept from an earlier call.
    """
    told = count_in(meta.get("current_page")) if isinstance(meta, dict) else None
    if told not in (None, page):
        raise Transient(f"Qonto answered with page {told} where page {page} was asked for.")


def next_page_in(meta: Json, page: int) -> int | None:
    """The page after `page`, as the list's `meta` tells; Qonto sometimes leaves `next_page` out at the end.

    Raises:
        Malformed: the next page is not a later one; following it would never end.
    """
    stands: Mapping[str, Json] = meta if isinstance(meta, dict) else {}
    following = count_in(stands.get("next_page"))
    if following is not None and following <= page:
        raise Malformed(f"After page {page} Qonto points to page {following}.", code="paging_stands_still")
    return following


def count_in(value: Json) -> int | None:
    """A count, which is text here (`libs.qonto.words`), or None."""
    return int(value) if isinstance(value, str) and _COUNT.fullmatch(value) else None


def _without_id(what: str) -> Malformed:
    return Malformed(f"Qonto answered with a {what} that has no id.", code="unexpected_shape")
