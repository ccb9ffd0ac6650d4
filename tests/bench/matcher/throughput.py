"""How fast a workspace goes from entities to decisions in Postgres: `python -m tests.bench.matcher.throughput [ROWS]`.

Everything of the matcher counts: opening and sealing, keys, rivals, claims, events. The bus does not.
"""

from __future__ import annotations

import argparse
import asyncio
import shutil
import sys
import tempfile
import time
from datetime import date
from pathlib import Path

from libs.contracts.entities import Bill, QontoInvoice
from libs.database.embedded import start_embedded
from libs.database.migrate import migrate
from tests.bench.matcher.sheffield import bill_of, invoice_of
from tests.support.matching import open_workspace
from tests.support.postgres import PostgresFixture
from well.demo.company.csv_bills import read_bills_csv
from well.demo.company.from_csv import company_from_csv

BATCH = 500


async def measured(csv: Path, rows: int, folder: Path) -> dict[str, float]:
    """Learn and decide the first rows; figures in records a second, one also in those of this process's CPU time."""
    company = company_from_csv(read_bills_csv(csv, rows), 1, date(2026, 11, 1))
    bills = [bill_of(invoice) for invoice in company.xero_invoices]
    records: list[Bill | QontoInvoice] = [*bills, *(invoice_of(invoice) for invoice in company.qonto_invoices)]
    server = await start_embedded(folder / "pg")
    await migrate(server.dsn, services=("matcher",))
    postgres = PostgresFixture(server.dsn)
    workspace = await open_workspace(postgres)
    started = time.perf_counter()
    for start in range(0, len(records), BATCH):
        await workspace.learn(*records[start : start + BATCH])
    learnt, learnt_cpu = time.perf_counter(), time.process_time()
    await workspace.finish_windows()
    await workspace.decide()
    decided, decided_cpu = time.perf_counter(), time.process_time()
    counts = await workspace.service.counts(workspace.id)
    await postgres.close()
    await server.stop()
    return {
        **counts,
        "learnt_per_second": len(records) / (learnt - started),
        "decided_per_second": len(bills) / (decided - learnt),
        "decided_per_cpu_second": len(bills) / (decided_cpu - learnt_cpu),
        "records_per_second": len(records) / (decided - started),
    }


def main() -> None:
    """Measure, and print a line a figure."""
    parser = argparse.ArgumentParser()
    parser.add_argument("rows", nargs="?", type=int, default=5_000)
    parser.add_argument("--csv", type=Path, default=Path("../shared/data/bills-sheffield.csv.gz"))
    asked = parser.parse_args()
    if not asked.csv.exists():
        sys.stdout.write(f"skipped: {asked.csv} is not here\n")
        return
    folder = Path(tempfile.mkdtemp(prefix="well-bench-"))
    folder.chmod(0o755)
    try:
        for name, value in asyncio.run(measured(asked.csv, asked.rows, folder)).items():
            sys.stdout.write(f"{name:24} {value:,.0f}\n")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
