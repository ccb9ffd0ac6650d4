"""The kinds of record the stand-in lists, and what each answer of theirs leaves out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from libs.xero.standin import exact_json

Body = dict[str, Any]
"""A record as Xero's JSON."""


@dataclass(frozen=True)
class Kind:
    """One of Xero's lists.

    Attributes:
        name: Its path and the key of its answers.
        id_key: The key of a record's id.
        scope: The granular scope that opens it.
        columns: Which key of a record stands in which column of the store.
        filters: Which column a key of a `where` looks at.
        lists: Which column a query parameter with a list of values looks at.
        summary_lacks: Keys that `summaryOnly` leaves out.
        unpaged_lacks: Keys that a list without `page` leaves out.
    """

    name: str
    id_key: str
    scope: str
    columns: dict[str, str]
    filters: dict[str, str]
    lists: dict[str, str]
    summary_lacks: frozenset[str]
    unpaged_lacks: frozenset[str]


INVOICES: Final = Kind(
    name="Invoices",
    id_key="InvoiceID",
    scope="accounting.invoices.read",
    columns={"type": "Type", "status": "Status", "number": "InvoiceNumber"},
    filters={"Type": "type", "Status": "status"},
    lists={"IDs": "record_id", "InvoiceNumbers": "number", "ContactIDs": "contact_id", "Statuses": "status"},
    summary_lacks=frozenset({"Payments", "HasAttachments", "LineItems"}),
    unpaged_lacks=frozenset({"LineItems"}),
)

CONTACTS: Final = Kind(
    name="Contacts",
    id_key="ContactID",
    scope="accounting.contacts.read",
    columns={"status": "ContactStatus", "number": "ContactNumber"},
    filters={"ContactStatus": "status"},
    lists={"IDs": "record_id"},
    summary_lacks=frozenset({"Addresses", "Balances", "ContactGroups", "ContactPersons", "IsCustomer", "IsSupplier"}),
    unpaged_lacks=frozenset({"MergedToContactID"}),
)
"""`MergedToContactID` is "only returned when using paging or when fetching a contact by ContactId".

Source: Xero-OpenAPI 16.1.0, schema Contact. What `summaryOnly` leaves out: developer.xero.com/documentation/api/
accounting/contacts and .../invoices, "summaryOnly".
"""


def without(body: bytes, keys: frozenset[str]) -> bytes:
    """A stored record without some of its keys."""
    record: Body = exact_json.loads(body)
    return exact_json.dumps({key: value for key, value in record.items() if key not in keys})
