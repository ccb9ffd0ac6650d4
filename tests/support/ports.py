"""Ports for servers that a test ends and starts again: none of those that the system gives to outgoing connections.

One of those may be somebody's by the time the server comes back.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from itertools import count
from typing import Final

_FIRST_PORT: Final = 20_000
_PORTS: Final = 12_000
"""Ports below 32768, where Linux begins to give them out (`net.ipv4.ip_local_port_range`)."""

_APART: Final = 1009
"""Ports between the places where two processes that began one after the other start to look: more than a run takes."""


def free_port() -> int:
    """A port that nobody uses now, and that this process was not given before."""
    return next(port for port in _CANDIDATES if _is_free(port))


def _candidates() -> Iterator[int]:
    start = os.getpid() * _APART
    return (_FIRST_PORT + (start + step) % _PORTS for step in count())


_CANDIDATES: Final = _candidates()


def _is_free(port: int) -> bool:
    with socket.socket() as tried:
        try:
            tried.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True
