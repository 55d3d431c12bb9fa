"""Who may ask: the hosts that the server answers to, the pages that may open a WebSocket."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterable
from urllib.parse import urlsplit


class Hosts:
    """The names by which the server may be called.

    A page elsewhere can make a browser call this machine by a name of its own (DNS rebinding): such
    a name is refused. Addresses in numbers cannot be abused so.

    Args:
        names: further names.
    """

    def __init__(self, names: Iterable[str] = ()):
        own = socket.gethostname().lower()
        self._names = {"localhost", own, f"{own}.local", *(name.lower() for name in names)}

    def allows(self, host: str | None) -> bool:
        """Return whether a Host header is of this server."""
        name = _name(f"//{host}") if host else None
        if name is None:
            return False
        try:
            ipaddress.ip_address(name)
        except ValueError:
            return name in self._names
        return True


def is_same_origin(origin: str | None, host: str | None) -> bool:
    """Return whether a WebSocket is opened by a page of this server, or by no page at all."""
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
