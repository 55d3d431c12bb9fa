"""A socket that listens, opened before anything is told, so that a taken port is said in a line."""

from __future__ import annotations

import socket

from quickdraw.errors import QuickdrawError

BACKLOG = 2048


def listening(host: str, port: int) -> socket.socket:
    """Return a socket that listens.

    Args:
        host: where; "0.0.0.0" for all who can reach this machine.
        port: 0 for a free one.

    Raises:
        QuickdrawError: the port is taken or not allowed, or the host is not this machine's.
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
