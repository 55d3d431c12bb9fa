"""Prints the board of a leaderboard.

    python -m quickdraw.leaderboard board --url=https://example.org

Rank, team, score, entries, the time of the last one, and ranks won since yesterday; after the end
the private scores and how ranks moved; of a live final its points and hits. Needs no token.
"""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Mapping
from typing import Any

from quickdraw import cli
from quickdraw.errors import UsageError
from quickdraw.leaderboard import team_client as client
from quickdraw.leaderboard.commands.common_flags import ServerFlags


@dataclasses.dataclass(kw_only=True)
class Flags(ServerFlags):
    """The flags of this command."""


def command(flags: Flags) -> None:
    """Print the board."""
    if not flags.url:
        raise UsageError("--url is needed: the server of the competition")
    board = client.call(flags.url, "/api/board")
    print(f"{board['name']}, {board['metric']}{', final' if board['revealed'] else ''}")
    if board["metric"] == "points":
        print(f"{'rank':>8}  {'points':>8}  {'hits':>5}  {'entries':>7}  {'last':16}  team")
    else:
        print(f"{'rank':>8}  {'score':>8}  {'moved':>5}  {'entries':>7}  {'last':16}  team")
    for row in board["rows"]:
        print(_line(row))


def _line(row: Mapping[str, Any]) -> str:
    rank = "baseline" if row["baseline"] else row["rank"] or ""
    # Names are untrusted: no control sequences may reach this terminal.
    name = "".join(each for each in row["team"] if each.isprintable())
    if "points" in row:
        score, second = ("" if row[key] is None else row[key] for key in ("points", "hits"))
    else:
        score, second = f"{row['score']:.2%}", f"{row['moved']:+d}" if row["moved"] else ""
    return f"{rank:>8}  {score:>8}  {second:>5}  {row['entries']:>7}  {row['last']:16}  {name}"


def main(argv: list[str] | None = None) -> int:
    """Run the command; return its exit code."""
    return cli.run(Flags, command, sys.argv if argv is None else argv)
