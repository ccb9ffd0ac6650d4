"""What a scope allows, in words for the person who grants it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

_WORDS: Final = {
    "offline_access": "keep this access until you take it back",
    "accounting.invoices.read": "read bills, sales invoices, credit notes and purchase orders",
    "accounting.payments.read": "read payments",
    "accounting.banktransactions.read": "read bank transactions",
    "accounting.contacts.read": "read contacts",
    "accounting.settings.read": "read the organisation's accounts, tax rates and tracking categories",
    "accounting.attachments.read": "read the files attached to bills",
    "supplier_invoice.write": "add supplier invoices to Qonto",
    "supplier_invoice.read": "read supplier invoices in Qonto",
    "attachment.read": "read the files of supplier invoices in Qonto",
    "organization.read": "read the organization, its accounts and transactions in Qonto",
    "xero.read": "read bills, contacts and the files attached to bills; nothing can be changed",
}
"""Sources: developer.xero.com, scopes; docs.qonto.com, OAuth scopes. The last is ours, for MCP clients."""


def plain_words(scopes: Iterable[str]) -> list[str]:
    """A line a scope. One without words of ours is shown as the provider has it, rather than left out."""
    return [_WORDS.get(scope, f"use the permission “{scope}”") for scope in scopes]


def said_of(state: str, title: str) -> str:
    """How a connection stands, and what a person may have to do, for a provider of this name."""
    return {
        "active": "Connected.",
        "refused": f"{title} refuses Well's calls for now. Well tries again by itself; nothing is lost meanwhile.",
        "lost": f"{title} no longer lets Well in. Connect it again; Well then goes on where it stopped.",
        "revoked": "Disconnected.",
    }.get(state, "Not connected.")
