"""The invitation of players: a link that phones can reach, and its QR code."""

from __future__ import annotations

import io
import ipaddress
from urllib.parse import urlsplit

from quickdraw.extras import needs
from quickdraw.serving.listening import own_address


def base_url(public_url: str, host: str, port: int, listens_to_all: bool) -> str:
    """Return the address of this server for others, without a trailing slash.

    Args:
        public_url: the address given by the organiser; wins if not empty.
        host: the Host header of a request.
        port: the port that it listens on.
        listens_to_all: whether it listens on all interfaces.
    """
    if public_url:
        return public_url.rstrip("/")
    if listens_to_all and _is_loopback(host) and (own := own_address()):
        return f"http://{own}:{port}"
    return f"http://{host}"


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
