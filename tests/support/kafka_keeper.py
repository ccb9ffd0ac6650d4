"""Runs a broker for as long as the test run lives: `kafka_keeper.py RUN_PID FOLDER COMMAND...`.

The workers of a run share a broker and may end in any order, or be killed. So none of them is its parent; this process
is: it ends the broker when it is told to, and ends it and takes its folder away when the run's own process is gone.
"""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Final

import psutil

SAID: Final = "broker.log"
"""The file in the broker's folder that holds what it says."""

_LOOK_SECONDS: Final = 1.0
"""Seconds between looks at the broker, which may end by itself."""

_STOP_SECONDS: Final = 10.0
"""Seconds a broker may take to stop before it is killed; it takes about one."""


def keep(run_pid: int, folder: Path, command: list[str]) -> None:
    """Run `command` until it ends, the run ends, or this process is told to end."""
    with (folder / SAID).open("ab") as written:
        broker = subprocess.Popen(command, stdout=written, stderr=subprocess.STDOUT)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the run is asked as well, and its end is ours
    signal.signal(signal.SIGTERM, lambda *_: broker.terminate())
    while broker.poll() is None:
        if _has_ended(run_pid):
            _end(broker)
            shutil.rmtree(folder, ignore_errors=True)


def _has_ended(run_pid: int) -> bool:
    """Whether the run has ended, after waiting a little for that."""
    try:
        run = psutil.Process(run_pid)
        if run.status() == psutil.STATUS_ZOMBIE:
            return True
        run.wait(_LOOK_SECONDS)
    except psutil.TimeoutExpired:
        return False
    except psutil.NoSuchProcess:
        return True
    return True


def _end(broker: subprocess.Popen[bytes]) -> None:
    broker.terminate()
    try:
        broker.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        broker.kill()
        broker.wait()


if __name__ == "__main__":
    keep(int(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:])
