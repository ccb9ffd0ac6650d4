"""What processes took and hold, with what they started."""

from __future__ import annotations

from collections.abc import Mapping

import psutil


def burnt_seconds(processes: Mapping[str, int]) -> dict[str, float]:
    """What each process took so far, with its children, those that have ended among them."""
    return {name: sum(map(_of_one, _family(psutil.Process(pid)))) for name, pid in processes.items()}


def held_bytes(processes: Mapping[str, int]) -> dict[str, int]:
    """Resident memory of each process, with its children."""
    return {
        name: sum(int(member.memory_info().rss) for member in _family(psutil.Process(pid)))
        for name, pid in processes.items()
    }


def _family(process: psutil.Process) -> list[psutil.Process]:
    return [process, *process.children(recursive=True)]


def _of_one(process: psutil.Process) -> float:
    try:
        times = process.cpu_times()
    except psutil.NoSuchProcess:
        return 0.0
    return float(times.user + times.system + times.children_user + times.children_system)
