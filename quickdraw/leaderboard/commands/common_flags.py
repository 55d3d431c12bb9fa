"""Flags and output that several commands of the leaderboard share."""

from __future__ import annotations

import dataclasses
import importlib.util

from quickdraw import cli
from quickdraw.extras import needs
from quickdraw.fields import field

OPERATOR = "organiser (command line)"
"""The audit log names this as the author of what a command does."""


@dataclasses.dataclass(kw_only=True)
class DatabaseFlags(cli.Config):
    """The flag that names the competition."""

    database: str = field(
        "competition.db",
        "The competition: an SQLite file, sqlite:///file.db or postgresql+psycopg://…",
    )


@dataclasses.dataclass(kw_only=True)
class LinkFlags(DatabaseFlags):
    """The flags that name the competition and the address of its server."""

    url: str = field("http://localhost:8080", "Where people reach the server; links begin so.")


@dataclasses.dataclass(kw_only=True)
class ServerFlags(cli.Config):
    """The flag that names the server."""

    url: str | None = field(None, "The server of the competition, such as https://example.org.")


def check_final_can_be_held() -> None:
    """Raise QuickdrawError if onnxruntime, which checks models, is not installed."""
    with needs("serve"):
        if importlib.util.find_spec("onnxruntime") is None:
            raise ImportError(name="onnxruntime")


def link(url: str, code: str) -> str:
    """Return the link that opens a session once."""
    return f"{url.rstrip('/')}/join/{code}"
