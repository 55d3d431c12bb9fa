r"""Sends predictions to a leaderboard, and prints score, rank and entries left.

    export QUICKDRAW_TOKEN=qd_…
    python -m quickdraw.leaderboard submit --url=https://example.org \
        --predictions=runs/cnn/predictions.csv --message="CnnModel, 20 epochs"

The token of your team comes from the page My entries. It is read from the variable, or from the
file ~/.quickdraw_token if nobody else may read it (chmod 600); never from the command line, which
others on the machine see. A file with faults is refused line by line and does not count. Where the
network fails the file is sent again, and counts once. gs:// paths are read where the command runs;
a job sends its own predictions with `inference --submit_to=URL`. Takes a second.
"""

from __future__ import annotations

import dataclasses
import sys

from quickdraw import cli
from quickdraw.errors import UsageError
from quickdraw.fields import field
from quickdraw.leaderboard import team_client as client
from quickdraw.leaderboard.commands.common_flags import ServerFlags


@dataclasses.dataclass(kw_only=True)
class Flags(ServerFlags):
    """What can be said on the command line."""

    predictions: str | None = field(None, "The file to send, local or gs://.", path=True)
    message: str = field("", "What is new in it.")
    token_file: str = field(
        client.TOKEN_FILE,
        "Where the token is, without the variable; local or gs://.",
        path=True,
    )


def command(flags: Flags) -> None:
    """Send the file and print what came of it."""
    if not flags.url or not flags.predictions:
        raise UsageError("--url and --predictions are both needed")
    token = client.token_from(flags.token_file)
    print(client.told(client.submit(flags.url, token, flags.predictions, flags.message)))


def main(argv: list[str] | None = None) -> int:
    """Run the command; return its exit code."""
    return cli.run(Flags, command, sys.argv if argv is None else argv)
