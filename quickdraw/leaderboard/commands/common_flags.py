"""Flags that several commands of the leaderboard have, and what they print in common."""

from __future__ import annotations

import dataclasses
import importlib.util

from quickdraw import cli
from quickdraw.extras import needs
from quickdraw.fields import field

OPERATOR = "organiser (command line)"
"""Who did what a command does, in the log."""


@dataclasses.dataclass(kw_only=True)
class DatabaseFlags(cli.Config):
    """Which competition."""

    database: str = field(
        "competition.db",
        "The competition: an SQLite file, sqlite:///file.db or postgresql+psycopg://…",
    )


@dataclasses.dataclass(kw_only=True)
class LinkFlags(DatabaseFlags):
    """Which competition, and where its server is."""

    url: str = field("http://localhost:8080", "Where people reach the server; links begin so.")


@dataclasses.dataclass(kw_only=True)
class ServerFlags(cli.Config):
    """Which server."""

    url: str | None = field(None, "The server of the competition, such as https://example.org.")


def check_final_can_be_held() -> None:
    """Raise an error where models cannot be checked: onnxruntime is not installed."""
    with needs("serve"):
        if importlib.util.find_spec("onnxruntime") is None:
            raise ImportError(name="onnxruntime")


def link(url: str, code: str) -> str:
    """Return the link that opens a session once."""
    return f"{url.rstrip('/')}/join/{code}"
