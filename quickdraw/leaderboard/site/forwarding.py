"""The client's address and scheme behind proxies, from X-Forwarded-For and -Proto."""

from __future__ import annotations

from starlette.types import Scope


def forwarded(scope: Scope, proxies: int) -> Scope:
    """Return an ASGI scope with the client's address and scheme.

    Each proxy appends the address of its caller to X-Forwarded-For. Whatever stands before the
    entries of our own proxies was sent by the client and cannot be trusted.

    Args:
        scope: of the request, as the server received it.
        proxies: how many trusted proxies are in front of the server; 0 ignores the headers.
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
