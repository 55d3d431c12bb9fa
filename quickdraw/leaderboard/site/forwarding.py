"""Behind proxies: from what address, and by what scheme, a request really came."""

from __future__ import annotations

from starlette.types import Scope


def forwarded(scope: Scope, proxies: int) -> Scope:
    """Return an ASGI scope with the client's address and scheme.

    Each proxy adds the address that it was asked from to the end of X-Forwarded-For. What stands
    before those that our own proxies added was sent by the client and may be anything.

    Args:
        scope: of the request, as the server saw it.
        proxies: how many proxies of ours stand before the server; 0: the headers are ignored.
    """
    if not proxies:
        return scope
    told = _values(scope, b"x-forwarded-for")
    scheme = _values(scope, b"x-forwarded-proto")[-1:]
    changes: dict[str, object] = {}
    if len(told) >= proxies:
        changes["client"] = (told[-proxies], 0)
    if scheme and scheme[0] in ("http", "https"):
        changes["scheme"] = scheme[0]
    return {**scope, **changes}


def _values(scope: Scope, wanted: bytes) -> list[str]:
    lines = [value.decode("latin-1") for name, value in scope["headers"] if name == wanted]
    return [part.strip() for line in lines for part in line.split(",") if part.strip()]
