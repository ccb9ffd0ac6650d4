"""A Xero contact in our form.

Source of the field names and states: XeroAPI/Xero-OpenAPI, xero_accounting.yaml 16.1.0, schema Contact.
"""

from __future__ import annotations

from libs.contracts.entities import Company
from services.ingest.domain.reading import Words, required_id, required_text, text
from services.ingest.domain.withdrawal import Withdrawal

_MERGED = Withdrawal("merged", "The contact was merged into another contact in Xero.")


def read_contact(words: Words) -> Company | Withdrawal:
    """A supplier or customer. A merged contact is a withdrawal: its bills name the other one from then on.

    Raises:
        Malformed: It has no id or no name.
    """
    contact_id = required_id(words, "ContactID")
    if text(words, "MergedToContactID"):
        return _MERGED
    return Company(
        contact_id=contact_id,
        name=required_text(words, "Name"),
        tax_number=text(words, "TaxNumber"),
        archived=words.get("ContactStatus") in {"ARCHIVED", "GDPRREQUEST"},
    )
