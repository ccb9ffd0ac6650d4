"""The stand-in as a process: prints one line of JSON with its address, and serves until it is told to stop."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import threading

from libs.xero.standin.server import running_standin


async def serve(host: str, port: int, store: str, *, exit_with_parent: bool) -> None:
    """Serve until SIGTERM or SIGINT, or, if asked, until whoever holds our standard input is gone."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    # Ctrl-C reaches a terminal's whole group; whoever started us may still need us for what it has under way.
    loop.add_signal_handler(signal.SIGINT, (lambda: None) if exit_with_parent else stop.set)
    if exit_with_parent:
        threading.Thread(target=_wait_for_end_of_input, args=(loop, stop), daemon=True).start()
    async with running_standin(store=store, host=host, port=port) as standin:
        print(json.dumps({"url": standin.url}), flush=True)  # noqa: T201 - the line its parent waits for
        await stop.wait()


def _wait_for_end_of_input(loop: asyncio.AbstractEventLoop, stop: asyncio.Event) -> None:
    while os.read(0, 4096):  # not sys.stdin: its lock, held by a thread that waits, would break the end of the process
        pass
    loop.call_soon_threadsafe(stop.set)


def main() -> None:
    """Read the arguments and serve."""
    parser = argparse.ArgumentParser(prog="python -m libs.xero.standin", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1", help="the address to listen on")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--store", default=":memory:", help="the SQLite file that keeps the state")
    parser.add_argument("--exit-with-parent", action="store_true", help="stop at the end of standard input")
    arguments = parser.parse_args()
    asyncio.run(serve(arguments.host, arguments.port, arguments.store, exit_with_parent=arguments.exit_with_parent))


if __name__ == "__main__":
    main()
