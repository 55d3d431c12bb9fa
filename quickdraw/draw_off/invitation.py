"""How players come in: a link that their phones can reach, and its QR code."""

from __future__ import annotations

import io
import ipaddress
import socket
from urllib.parse import urlsplit

from quickdraw.extras import needs

_ELSEWHERE = ("192.0.2.1", 9)  # RFC 5737: nothing is sent there, it only shows the way out


def base_url(public_url: str, host: str, port: int, listens_to_all: bool) -> str:
    """Return the address by which others reach this server, without a slash at the end.

    Args:
        public_url: what the organiser says; counts if it is there.
        host: of the Host header of somebody who reached it.
        port: where it listens.
        listens_to_all: whether others can reach it.
    """
    if public_url:
        return public_url.rstrip("/")
    if listens_to_all and _is_loopback(host) and (own := own_address()):
        return f"http://{own}:{port}"
    return f"http://{host}"


def own_address() -> str | None:
    """Return the address of this machine in its network; None where it has none."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(_ELSEWHERE)
            return str(probe.getsockname()[0])
        except OSError:
            return None


def qr_code(url: str) -> str:
    """Return the QR code of a link as SVG.

    Raises:
        QuickdrawError: segno is not installed.
    """
    with needs("serve"):
        import segno
    text = io.BytesIO()
    options = {"border": 2, "dark": "#000", "light": "#fff", "omitsize": True, "xmldecl": False}
    segno.make(url, error="m").save(text, kind="svg", nl=False, **options)
    return text.getvalue().decode()


def _is_loopback(host: str) -> bool:
    name = urlsplit(f"//{host}").hostname or ""
    if name == "localhost":
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False
