"""`python -m libs.qonto.standin`: a stand-in of its own, which says in one line of JSON where it is."""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys

import orjson

from libs.qonto.standin.beginning import DEFAULT_CLIENT, DEFAULT_ORGANIZATION
from libs.qonto.standin.running import running_standin


def main() -> None:
    """Serve until told to stop."""
    parser = argparse.ArgumentParser(prog="python -m libs.qonto.standin", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--store", default=":memory:", help="an SQLite file that keeps what is held")
    parser.add_argument("--consent", choices=("page", "auto"), help="auto grants without asking a person")
    parser.add_argument("--analysis-delay-seconds", type=float, help="how long a new invoice keeps its empty fields")
    parser.add_argument("--exit-with-parent", action="store_true", help="end when standard input is closed")
    asyncio.run(_serve(parser.parse_args()))


async def _serve(wanted: argparse.Namespace) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    async with running_standin(store=wanted.store, host=wanted.host, port=wanted.port) as standin:
        chosen = {"consent": wanted.consent, "analysis_delay_seconds": wanted.analysis_delay_seconds}
        standin.world.change_settings({name: value for name, value in chosen.items() if value is not None})
        address = {"url": standin.url, "client_id": DEFAULT_CLIENT, "organization": str(DEFAULT_ORGANIZATION)}
        sys.stdout.write(orjson.dumps(address).decode() + "\n")
        sys.stdout.flush()
        if wanted.exit_with_parent:
            await _until_eof_or(stop)
        else:
            await stop.wait()


async def _until_eof_or(stop: asyncio.Event) -> None:
    """Return when the parent has closed our standard input, which its death does too, or when told to stop."""
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    transport, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    waits = [asyncio.create_task(reader.read()), asyncio.create_task(stop.wait())]
    try:
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()
        transport.close()


if __name__ == "__main__":
    main()
