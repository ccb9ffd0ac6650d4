"""A bound socket, for servers whose address must be known before they are built."""

from __future__ import annotations

import socket


def bound_socket(port: int = 0, host: str = "127.0.0.1") -> socket.socket:
    """A socket on this machine's loopback, or another of its addresses; port 0 takes a free one.

    Whoever serves on it closes it.

    The protocol is named on purpose: asyncio switches Nagle's algorithm off only for sockets that say they are TCP, and
    with it on, a small answer waits 40 ms for the other side's delayed acknowledgement.

    Raises:
        OSError: Another process has the port.
    """
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((host, port))
    except OSError:
        bound.close()
        raise
    return bound


def port_of(bound: socket.socket) -> int:
    """The port a socket is bound to."""
    port: int = bound.getsockname()[1]
    return port


def is_free(port: int) -> bool:
    """Whether a server could listen on a port of 127.0.0.1 just now."""
    try:
        bound_socket(port).close()
    except OSError:
        return False
    return True
