"""Services apart over Kafka: `python -m tests.bench.over_kafka [ROWS] --csv FILE [--trouble NAME]`.

Every service is a process of its own, over one Postgres and one Kafka broker from jars, beside both stand-ins, all on
this machine. Prints what the run came to and how fast raw records became decisions. What `--trouble` does to it:

    kills       two matchers and two pushers; for a minute one of each is killed with -9 in turn, every three seconds
    broker      the broker is killed while bills are decided, and started again
    postgres    Postgres is killed while bills are decided, and started again
    link        all services reach the broker through a link that is cut for 20 s
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import date
from itertools import cycle
from pathlib import Path
from typing import Final

from libs.contracts.errors import Transient
from libs.contracts.events import MatchDecided
from tests.e2e.apart import Apart
from tests.e2e.apart_world import services_apart
from tests.e2e.decided import decided_in_one_process, first_decisions
from tests.support.kafka_broker import JarBroker, free_ports
from tests.support.tcp_proxy import TcpProxy, proxied
from tests.support.until import until
from well.apart import NEEDS
from well.demo.company import company_from_csv, read_bills_csv
from well.demo.scene import SEED

KILLING_SECONDS: Final = 60.0
"""Seconds in which processes are killed."""

BETWEEN_KILLS_SECONDS: Final = 3.0
"""Seconds between two kills: a process that starts is at work again by the next."""

CUT_SECONDS: Final = 20.0
"""Seconds for which the link is cut."""

END_SECONDS: Final = 900.0
"""Seconds for the whole run."""

DIFFERENCES_SHOWN: Final = 10
"""Bills. Whoever looks into it begins with one; a run in which all differ is seen by the count."""

_TOLD = {"bills", "linked", "posted", "review", "lost", "posted_twice", "wrong_links"}

_DECIDED = "SELECT count(*) FROM matcher.decision WHERE generation = 1"

_RECORDS_PER_SECOND = """
WITH first AS (
    SELECT min(occurred_at) AS decided FROM matcher.event_log WHERE event_type = 'MatchDecided' GROUP BY record_key
), span AS (
    SELECT min(occurred_at) AS began, (SELECT max(decided) FROM first) AS ended
    FROM ingest.event_log WHERE event_type = 'RecordPulled'
)
SELECT count(*) FILTER (WHERE occurred_at <= ended) / extract(epoch FROM max(ended) - max(began))
FROM ingest.event_log, span WHERE event_type = 'RecordPulled'
"""


async def _after(seconds: float) -> None:
    end = time.perf_counter() + seconds

    async def over() -> bool:
        return time.perf_counter() >= end

    await until(over, deadline_seconds=seconds + 60)


async def _some_decided(apart: Apart) -> None:
    async def some() -> bool:
        return bool(await apart.admin.fetchval(_DECIDED))

    await until(some, deadline_seconds=END_SECONDS)


async def _kills(apart: Apart, _broker: JarBroker, _link: TcpProxy) -> None:
    end, kills = time.perf_counter() + KILLING_SECONDS, 0
    for name in cycle(("matcher", "pusher", "matcher-2", "pusher-2")):
        await _after(BETWEEN_KILLS_SECONDS)
        if time.perf_counter() > end:
            break
        apart.kill(name)
        apart.start(name)
        kills += 1
    sys.stdout.write(f"{'kills':24} {kills}\n")


async def _broker(apart: Apart, broker: JarBroker, _link: TcpProxy) -> None:
    await _some_decided(apart)
    await broker.kill()
    await broker.start()


async def _postgres(apart: Apart, _broker: JarBroker, _link: TcpProxy) -> None:
    await _some_decided(apart)
    os.kill(int((apart.installation.postgres / "postmaster.pid").read_text().splitlines()[0]), 9)

    async def started_again() -> bool:
        try:
            return await apart.server.keep_running() == 1
        except Transient:
            return False  # what is left of the old one still holds its memory

    await until(started_again, deadline_seconds=60)


async def _link(apart: Apart, _broker: JarBroker, link: TcpProxy) -> None:
    await _some_decided(apart)
    link.cut()
    await _after(CUT_SECONDS)
    link.mend()


TROUBLES: Final[dict[str, Callable[[Apart, JarBroker, TcpProxy], Awaitable[None]]]] = {
    "kills": _kills,
    "broker": _broker,
    "postgres": _postgres,
    "link": _link,
}


async def measured(csv: Path, rows: int, trouble: str | None, folder: Path, *, compare: bool) -> None:
    """Run, and print a line a figure."""
    company = company_from_csv(read_bills_csv(csv, rows), SEED, date(2026, 11, 1))
    broker = JarBroker(folder / "kafka", free_ports(), os.getpid())
    async with AsyncExitStack() as stack:
        await broker.start()
        stack.push_async_callback(broker.stop)
        link = await stack.enter_async_context(proxied(broker.ports.proxy, to_port=broker.ports.behind_proxy))
        bootstrap = broker.ports.proxied_bootstrap if trouble == "link" else broker.ports.bootstrap
        apart = await stack.enter_async_context(services_apart(company, folder / "bytecode", (bootstrap, "bench.")))
        names = (*NEEDS, *(("matcher-2", "pusher-2") if trouble == "kills" else ()))
        apart.start(*names)
        await apart.ready(*names)
        started = time.perf_counter()
        await apart.connect()
        if trouble is not None:
            await TROUBLES[trouble](apart, broker, link)
        summary = await apart.finished(deadline_seconds=END_SECONDS)
        seconds = time.perf_counter() - started
        rate = await apart.admin.fetchval(_RECORDS_PER_SECOND)
        told = summary.model_dump(
            include={"bills", "linked", "posted", "review", "lost", "posted_twice", "wrong_links"}
        )
        for name, value in {**told, "seconds": seconds, "records_per_second": float(rate)}.items():
            sys.stdout.write(f"{name:24} {value:,.1f}\n" if isinstance(value, float) else f"{name:24} {value:,}\n")
        sys.stdout.flush()
        over_kafka = await first_decisions(apart.reader, apart.workspace)
    if compare:
        _compare(over_kafka, await decided_in_one_process(company, folder, len(over_kafka)))


def _compare(ours: dict[str, bytes], theirs: dict[str, bytes]) -> None:
    """Print how many first decisions are the same to the byte, and how many come to the same end."""

    def end_of(said: bytes) -> tuple[str, tuple[str, ...]]:
        decision = MatchDecided.model_validate_json(said)
        return decision.verdict, decision.chosen

    same_bytes = sum(said == theirs[bill] for bill, said in ours.items())
    same_end = sum(end_of(said) == end_of(theirs[bill]) for bill, said in ours.items())
    sys.stdout.write(f"{'same to the byte':24} {same_bytes:,}\n{'same verdict and choice':24} {same_end:,}\n")
    for bill in [bill for bill, said in sorted(ours.items()) if said != theirs[bill]][:DIFFERENCES_SHOWN]:
        one, other = (MatchDecided.model_validate_json(said[bill]).model_dump() for said in (ours, theirs))
        parts = [name for name, value in one.items() if value != other[name]]
        sys.stdout.write(f"{'differs':24} {bill}: {', '.join(parts)}\n")


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser()
    parser.add_argument("rows", nargs="?", type=int, default=5_000)
    parser.add_argument("--csv", type=Path, required=True)
    parser.add_argument("--trouble", choices=tuple(TROUBLES))
    parser.add_argument("--compare", action="store_true", help="Decide the same bills in one process too.")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="well-bench-") as folder:
        Path(folder).chmod(0o755)  # as root, Postgres runs as another user
        asyncio.run(measured(asked.csv, asked.rows, asked.trouble, Path(folder), compare=asked.compare))


if __name__ == "__main__":
    main()
