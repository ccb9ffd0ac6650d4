"""The organisations, records and attachments the stand-in holds."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from libs.xero.standin import exact_json
from libs.xero.standin.kinds import INVOICES, Body, Kind
from libs.xero.standin.normal_form import normal_form
from libs.xero.standin.selection import Selection
from libs.xero.standin.store import Store


class Holdings:
    """Organisations and their records, in the store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def put_organisation(self, tenant_id: str, name: str, given: Body) -> None:
        """Make an organisation, or rename it."""
        body = {
            "Name": name,
            "LegalName": name,
            "OrganisationType": "COMPANY",
            "BaseCurrency": "EUR",
            "CountryCode": "FR",
            "IsDemoCompany": False,
            "OrganisationStatus": "ACTIVE",
            "Timezone": "ROMANCESTANDARDTIME",
            "OrganisationID": tenant_id,
            **given,
        }
        self._store.write(
            "INSERT INTO organisation VALUES (?, ?, ?) "
            "ON CONFLICT (tenant_id) DO UPDATE SET name = excluded.name, body = excluded.body",
            (tenant_id, name, exact_json.dumps(body)),
        )

    def organisation(self, tenant_id: str) -> bytes | None:
        """The JSON of an organisation, if there is one of that id."""
        row = self._store.row("SELECT body FROM organisation WHERE tenant_id = ?", (tenant_id,))
        return None if row is None else bytes(row["body"])

    def organisations(self) -> list[tuple[str, str]]:
        """Id and name of every organisation, by name."""
        rows = self._store.rows("SELECT tenant_id, name FROM organisation ORDER BY name, tenant_id")
        return [(row["tenant_id"], row["name"]) for row in rows]

    def put(self, kind: Kind, tenant_id: str, given: Sequence[Body], now: datetime) -> None:
        """Insert or change records by their id, inside the caller's transaction.

        Raises:
            ValueError: a record has no id, or a date or amount that is none.
        """
        for record in given:
            record_id = record.get(kind.id_key)
            if not isinstance(record_id, str) or not record_id:
                raise ValueError(f"every record has an {kind.id_key}")
            found = self.record(kind, tenant_id, record_id)
            body, updated_ms = normal_form(kind, record, exact_json.loads(found) if found else None, now)
            self._write(kind, tenant_id, record_id, updated_ms, body)

    def mark_attached(self, tenant_id: str, invoice_id: str) -> None:
        """Say of an invoice that it has attachments. The time it changed stays: Xero promises nothing else."""
        found = self._store.row(
            "SELECT body, updated_ms FROM record WHERE kind = ? AND tenant_id = ? AND record_id = ?",
            (INVOICES.name, tenant_id, invoice_id),
        )
        if found is None:
            raise ValueError("an attachment belongs to an invoice that is held")
        body: Body = {**exact_json.loads(found["body"]), "HasAttachments": True}
        self._write(INVOICES, tenant_id, invoice_id, found["updated_ms"], body)

    def record(self, kind: Kind, tenant_id: str, record_id: str) -> bytes | None:
        """The JSON of one record."""
        row = self._store.row(
            "SELECT body FROM record WHERE kind = ? AND tenant_id = ? AND record_id = ?",
            (kind.name, tenant_id, record_id),
        )
        return None if row is None else bytes(row["body"])

    def how_many(self, kind: Kind, tenant_id: str, selection: Selection) -> int:
        """How many records are selected, on all pages."""
        where, parameters = _selected(kind, tenant_id, selection)
        return self._store.count(f"SELECT count(*) FROM record WHERE {where}", parameters)  # noqa: S608 - `_selected`

    def page(self, kind: Kind, tenant_id: str, selection: Selection) -> list[bytes]:
        """The JSON of the records of one page, in their order."""
        where, parameters = _selected(kind, tenant_id, selection)
        way = "DESC" if selection.newest_first else "ASC"
        rows = self._store.rows(
            f"SELECT body FROM record WHERE {where} "  # noqa: S608 - `_selected`
            f"ORDER BY updated_ms {way}, record_id {way} LIMIT ? OFFSET ?",
            (*parameters, selection.limit, selection.offset),
        )
        return [bytes(row["body"]) for row in rows]

    def counts(self) -> dict[str, Any]:
        """What each organisation holds, in numbers."""
        tenants: dict[str, Any] = {
            tenant_id: {"name": name, "invoices": 0, "contacts": 0, "attachments": 0, "invoices_by": {}}
            for tenant_id, name in self.organisations()
        }
        grouped = "SELECT tenant_id, kind, type, status, count(*) AS n FROM record GROUP BY 1, 2, 3, 4"
        for row in self._store.rows(grouped):
            held = tenants[row["tenant_id"]]
            held[row["kind"].lower()] += row["n"]
            if row["kind"] == INVOICES.name:
                held["invoices_by"][f"{row['type']} {row['status']}"] = row["n"]
        for row in self._store.rows("SELECT tenant_id, count(*) AS n FROM attachment GROUP BY 1"):
            tenants[row["tenant_id"]]["attachments"] = row["n"]
        return tenants

    def _write(self, kind: Kind, tenant_id: str, record_id: str, updated_ms: int, body: Body) -> None:
        contact = body.get("Contact")
        self._store.write(
            "INSERT OR REPLACE INTO record VALUES "
            "(:kind, :tenant_id, :record_id, :updated_ms, :type, :status, :number, :contact_id, :body)",
            {
                "kind": kind.name,
                "tenant_id": tenant_id,
                "record_id": record_id,
                "updated_ms": updated_ms,
                "type": None,  # contacts have none
                **{column: body.get(key) for column, key in kind.columns.items()},
                "contact_id": contact.get("ContactID") if isinstance(contact, dict) else None,
                "body": exact_json.dumps(body),
            },
        )


def _selected(kind: Kind, tenant_id: str, selection: Selection) -> tuple[str, tuple[object, ...]]:
    """The condition and its parameters. The clauses are words of ours; all that came from outside is a parameter."""
    clauses = ("kind = ?", "tenant_id = ?", *selection.clauses)
    return " AND ".join(clauses), (kind.name, tenant_id, *selection.parameters)
