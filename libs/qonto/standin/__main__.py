"""`python -m libs.qonto.standin`: a stand-in of its own, which says in one line of JSON where it is."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import signal
import sys
import threading
from typing import Final

import orjson

from libs.qonto.standin.beginning import DEFAULT_CLIENT, DEFAULT_ORGANIZATION
from libs.qonto.standin.running import running_standin

READ_BYTES: Final = 1_024
"""Bytes of standard input read at a time, and thrown away: only its end means something."""


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
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    # Ctrl-C reaches a terminal's whole group; whoever started us may still need us for what it has under way.
    loop.add_signal_handler(signal.SIGINT, (lambda: None) if wanted.exit_with_parent else stop.set)
    async with running_standin(store=wanted.store, host=wanted.host, port=wanted.port) as standin:
        chosen = {"consent": wanted.consent, "analysis_delay_seconds": wanted.analysis_delay_seconds}
        standin.world.change_settings({name: value for name, value in chosen.items() if value is not None})
        address = {"url": standin.url, "client_id": DEFAULT_CLIENT, "organization": str(DEFAULT_ORGANIZATION)}
        sys.stdout.write(orjson.dumps(address).decode() + "\n")
        sys.stdout.flush()
        if wanted.exit_with_parent:
            threading.Thread(target=_end_with_input, args=(loop, stop), daemon=True).start()
        await stop.wait()


def _end_with_input(loop: asyncio.AbstractEventLoop, stop: asyncio.Event) -> None:
    """Stop when standard input ends, which the death of the parent brings about too.

    A thread, since not everything that may be standard input can be watched by an event loop: `/dev/null` cannot.
    """
    while os.read(sys.stdin.fileno(), READ_BYTES):
        continue
    with contextlib.suppress(RuntimeError):  # the loop is closed: we were ending already
        loop.call_soon_threadsafe(stop.set)


if __name__ == "__main__":
    main()
