"""A listening socket, opened first, so that a port in use is a one-line error; its addresses."""

from __future__ import annotations

import contextlib
import socket

from quickdraw.errors import QuickdrawError

BACKLOG = 2048
_FILES = 8192
_ALL = ("0.0.0.0", "::")
_ELSEWHERE = ("192.0.2.1", 9)  # RFC 5737; nothing is sent: it selects the interface


def listening(host: str, port: int) -> socket.socket:
    """Return a listening socket.

    Args:
        host: the address; "0.0.0.0" for all interfaces.
        port: 0 for a free one.

    Raises:
        QuickdrawError: the port is in use or not allowed, or the host is not this machine's.
    """
    _allow_many_files()
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


def url(host: str, port: int) -> str:
    """Return the address at which this machine reaches its own server."""
    here = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    return f"http://[{here}]:{port}" if ":" in here else f"http://{here}:{port}"


def url_for_others(host: str, port: int) -> str | None:
    """Return the address for other machines; None unless the server listens on all interfaces."""
    own = own_address() if host in _ALL else None
    return f"http://{own}:{port}" if own else None


def own_address() -> str | None:
    """Return this machine's address in its network; None if it has none."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(_ELSEWHERE)
            return str(probe.getsockname()[0])
        except OSError:
            return None


def _allow_many_files() -> None:
    """Raise the limit of open files: a socket is one, and macOS allows 256 unless asked."""
    try:
        import resource
    except ImportError:  # Windows
        return
    now, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _FILES if most == resource.RLIM_INFINITY else min(_FILES, most)
    if now != resource.RLIM_INFINITY and now < wanted:
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, most))
