"""A listening socket, opened first, so that a port in use is a one-line error."""

from __future__ import annotations

import socket

from quickdraw.errors import QuickdrawError

BACKLOG = 2048


def listening(host: str, port: int) -> socket.socket:
    """Return a listening socket.

    Args:
        host: the address; "0.0.0.0" for all interfaces.
        port: 0 for a free one.

    Raises:
        QuickdrawError: the port is in use or not allowed, or the host is not this machine's.
    """
    made = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        made.bind((host, port))
        made.listen(BACKLOG)
    except OSError as error:
        made.close()
        raise QuickdrawError(
            f"cannot listen on {host}:{port}: {error.strerror}. --port names another"
        ) from None
    made.set_inheritable(False)
    return made
