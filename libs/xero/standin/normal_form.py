"""How a record handed to the stand-in becomes what Xero would show: dates, amounts and the keys it always has. Pure."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import orjson

from libs.contracts.errors import Malformed
from libs.xero.dates import EPOCH, as_xero_date, instant, milliseconds
from libs.xero.standin.kinds import CONTACTS, INVOICES, Body, Kind

_DATES: Final = ("Date", "DueDate", "FullyPaidOnDate", "PlannedPaymentDate", "ExpectedPaymentDate")
_WITH_STRING: Final = {"Date": "DateString", "DueDate": "DueDateString"}
_AMOUNTS: Final = frozenset(
    "SubTotal TotalTax Total TotalDiscount AmountDue AmountPaid AmountCredited CurrencyRate CISDeduction Quantity "
    "UnitAmount LineAmount TaxAmount DiscountRate DiscountAmount Amount Outstanding Overdue".split()
)
_DECIMAL: Final = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?")

_INVOICE_DEFAULTS: Final[Body] = {
    "Payments": [],
    "CreditNotes": [],
    "Prepayments": [],
    "Overpayments": [],
    "IsDiscounted": False,
    "HasAttachments": False,
    "HasErrors": False,
    "LineItems": [],
}
_CONTACT_DEFAULTS: Final[Body] = {
    "ContactStatus": "ACTIVE",
    "Addresses": [],
    "Phones": [],
    "ContactGroups": [],
    "ContactPersons": [],
    "IsSupplier": False,
    "IsCustomer": False,
    "HasAttachments": False,
    "HasValidationErrors": False,
}
_DEFAULTS: Final = {INVOICES.name: _INVOICE_DEFAULTS, CONTACTS.name: _CONTACT_DEFAULTS}


def normal_form(kind: Kind, given: Body, held: Body | None, now: datetime) -> tuple[Body, int]:
    """The record after an upsert, and the millisecond it changed: `now`, unless the given record says another.

    Keys that were not given stay as they were held; a key given as null is taken away, since Xero leaves out what it
    does not have. Dates may be given as Xero's `/Date(...)/` or as ISO text, amounts as JSON numbers or as decimal
    text; what comes out is what Xero writes.

    Raises:
        ValueError: a date or an amount is neither.
    """
    said = {key: value for key, value in given.items() if value is not None}
    record: Body = {**(held or _DEFAULTS[kind.name]), **_with_numbers(said)}
    for key in given.keys() - said.keys():
        record.pop(key, None)
        record.pop(_WITH_STRING.get(key, key), None)
    for key in _DATES:
        if key in said:
            moment = _moment(said[key])
            record[key] = as_xero_date(moment)
            if key in _WITH_STRING:
                record[_WITH_STRING[key]] = moment.strftime("%Y-%m-%dT%H:%M:%S")
    updated = _moment(said["UpdatedDateUTC"]) if "UpdatedDateUTC" in said else now
    record["UpdatedDateUTC"] = as_xero_date(updated)
    record["UpdatedDateUTCString"] = updated.strftime("%Y-%m-%dT%H:%M:%SZ")
    return record, milliseconds(updated)


def instant_of(text: str) -> datetime:
    """An instant from Xero's form or ISO text; a day is its midnight, a time without a zone is UTC.

    Raises:
        ValueError: it is neither.
    """
    if text.startswith("/"):
        try:
            return instant(text)
        except Malformed as error:
            raise ValueError(error.sentence) from None
    moment = datetime.fromisoformat(text)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def at_millisecond(since_1970: int) -> datetime:
    """The instant of a stored millisecond."""
    return EPOCH + timedelta(milliseconds=since_1970)


def _moment(given: object) -> datetime:
    if not isinstance(given, str):
        raise ValueError("a date is text: /Date(...)/ or ISO 8601")  # noqa: TRY004 - the caller gave a wrong value
    return instant_of(given)


def _with_numbers(value: Any) -> Any:  # noqa: ANN401 - JSON is any shape
    if isinstance(value, list):
        return [_with_numbers(item) for item in value]
    if isinstance(value, dict):
        return {key: _number(item) if key in _AMOUNTS else _with_numbers(item) for key, item in value.items()}
    return value


def _number(given: object) -> object:
    if not isinstance(given, str):
        return given
    if _DECIMAL.fullmatch(given) is None:
        raise ValueError("an amount is a JSON number or decimal text")
    return orjson.Fragment(given)
