"""A bound socket, for servers whose address must be known before they are built."""

from __future__ import annotations

import socket
from typing import Final

from libs.contracts.errors import Rejected

UNREAD_SECONDS: Final = 75.0
"""Seconds after which whoever takes nothing of an answer is given up, as long as a request may take to come. Whoever
reads slowly and goes on reading is not."""


def bound_socket(port: int = 0, host: str = "127.0.0.1", *, unread_seconds: float = UNREAD_SECONDS) -> socket.socket:
    """A socket on this machine's loopback, or another of its addresses; port 0 takes a free one.

    Whoever serves on it closes it.

    The protocol is named on purpose: asyncio switches Nagle's algorithm off only for sockets that say they are TCP, and
    with it on, a small answer waits 40 ms for the other side's delayed acknowledgement.

    Raises:
        Rejected: `listen` when another process has the port, or this machine has no such address.
    """
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if hasattr(socket, "TCP_USER_TIMEOUT"):  # Linux; accepted sockets inherit it (tcp(7))
        bound.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, round(unread_seconds * 1000))
    try:
        bound.bind((host, port))
    except (OSError, OverflowError) as error:
        bound.close()
        why = (error.strerror if isinstance(error, OSError) else None) or "no such port"
        raise Rejected(f"Nothing can listen on {host}:{port}: {why}.", code="listen") from error
    return bound


def port_of(bound: socket.socket) -> int:
    """The port a socket is bound to."""
    port: int = bound.getsockname()[1]
    return port


def is_free(port: int) -> bool:
    """Whether a server could listen on a port of 127.0.0.1 just now."""
    try:
        bound_socket(port).close()
    except Rejected:
        return False
    return True
