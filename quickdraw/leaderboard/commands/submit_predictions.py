r"""Sends predictions, or a model, to a leaderboard, and prints score, rank and entries left.

    export QUICKDRAW_TOKEN=qd_…
    python -m quickdraw.leaderboard submit --url=https://example.org \
        --predictions=runs/cnn/predictions.csv --message="CnnModel, 20 epochs"
    python -m quickdraw.leaderboard submit --url=https://example.org --model=exports/cnn/model.onnx

The token of your team comes from the page My entries. It is read from the variable, or from the
file ~/.quickdraw_token if nobody else may read it (chmod 600); never from the command line, which
others on the machine see. A file with faults is refused, with each faulty line, and does not count.
If the network fails the file is sent again, and counts once. gs:// paths are read where the command
runs; a job sends its own predictions with `inference --submit_to=URL`. Takes a second.

--model is for a competition whose models meet in a live final: an ONNX file, as quickdraw.export
writes it. The server checks it under the limits of the final, in a few seconds.
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
    """The flags of this command."""

    predictions: str | None = field(None, "The file to send, local or gs://.", path=True)
    model: str | None = field(None, "The ONNX file to send, local or gs://.", path=True)
    message: str = field("", "What is new in it.")
    token_file: str = field(
        client.TOKEN_FILE,
        "Where the token is, without the variable; local or gs://.",
        path=True,
    )


def command(flags: Flags) -> None:
    """Send the file and print its score, or why it was refused."""
    path = flags.model or flags.predictions
    if not flags.url or not path or (flags.model and flags.predictions):
        raise UsageError("--url and --predictions are both needed, or --url and --model")
    token, kind = client.token_from(flags.token_file), "draw_off" if flags.model else "predictions"
    print(client.told(client.submit(flags.url, token, path, flags.message, kind)))


def main(argv: list[str] | None = None) -> int:
    """Run the command; return its exit code."""
    return cli.run(Flags, command, sys.argv if argv is None else argv)
