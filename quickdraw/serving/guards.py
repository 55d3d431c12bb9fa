"""Access checks: accepted host names, and the origins that may open a WebSocket."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterable
from urllib.parse import urlsplit


class Hosts:
    """The host names that the server accepts.

    Another site can make its own name resolve to this machine (DNS rebinding), so unknown names
    are refused. IP addresses cannot be abused in this way.

    Args:
        names: additional names.
    """

    def __init__(self, names: Iterable[str] = ()):
        own = socket.gethostname().lower()
        self._names = {"localhost", own, f"{own}.local", *(name.lower() for name in names)}

    def allows(self, host: str | None) -> bool:
        """Return whether a Host header names this server."""
        name = _name(f"//{host}") if host else None
        if name is None:
            return False
        try:
            ipaddress.ip_address(name)
        except ValueError:
            return name in self._names
        return True


def is_same_origin(origin: str | None, host: str | None) -> bool:
    """Return whether a WebSocket comes from this server's own pages, or not from a browser."""
    if origin is None:
        return True
    try:
        return urlsplit(origin).netloc.lower() == (host or "").lower()
    except ValueError:
        return False


def _name(address: str) -> str | None:
    try:
        return urlsplit(address).hostname
    except ValueError:
        return None
