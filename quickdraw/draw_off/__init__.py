"""A live final: all teams' models compete to recognise what players draw in the room.

    python -m quickdraw.draw_off --train_dir=runs/cnn,runs/resnet --models=handed_in --host=0.0.0.0

The organiser opens the secret link that is printed, and chooses the models, the words and the
number of rounds. Players join with their phones by a QR code and take turns to draw; the big screen
shows the drawing, the clock, every model's guesses, and the score.

--train_dir names runs, local or gs://, which are exported once; --models a folder of ONNX files as
quickdraw.export or `quickdraw.leaderboard final` writes them. Teams can also hand theirs in on a
page, and the organiser can add files, and runs of the folder --runs, until the contest begins. Each
file is checked, and runs in a process of its own with limits: on Linux without network, files or
other system calls. A model that hangs or fails is restarted, and is out after three failures in a
row; other models are not affected.

Every event is appended to events.jsonl in --output_dir before it takes effect. The same command
again, after a power cut or Ctrl+C, continues in the same round; the organiser's link stays that
of the first start (--new_link makes another). --score=true only prints the score, recomputed
from the file, and writes standings.csv and rounds.csv.

The rules are on the page. A hit is the word as likeliest guess twice in a row: 100 points at once,
falling to 50 after 20 seconds; plus 10 points times the word's probability at the end; minus 10 for
another word with more than 80 %. See docs/en/play.md. It needs the extra [serve]:
pip install -e '.[serve]'. Ready in seconds; a model takes about 30 MB.
"""

from __future__ import annotations

import dataclasses

from quickdraw import cli, storage
from quickdraw.errors import UsageError
from quickdraw.fields import field


@dataclasses.dataclass(kw_only=True)
class Flags(cli.Config):
    """The flags of this command."""

    train_dir: str | None = field(
        None, "Runs that may take part, local or gs://, separated by commas.", path=True
    )
    models: str | None = field(None, "A folder of ONNX files that may take part.", path=True)
    runs: str | None = field(
        None, "A folder, local or gs://, whose runs the organiser may add at the desk.", path=True
    )
    output_dir: str = field(
        "draw_off", "The folder of the contest: its events, models and results.", path=True
    )
    seconds: int = field(20, "How long a round takes.", 5, 120)
    host: str = field("127.0.0.1", "Where to listen; 0.0.0.0 for all who can reach this machine.")
    port: int = field(8000, "The port; 0 for a free one.", 0, 65535)
    hosts: tuple[str, ...] | None = field(
        None, "Names by which browsers may call the server, beside its own and addresses."
    )
    public_url: str = field("", "Where people reach the server, such as https://example.org.")
    memory: int = field(512, "Megabytes that the process of a model may take beside Python.", 64)
    new_link: bool = field(False, "Make another secret link for the organiser; the old one ends.")
    score: bool = field(False, "Only print the score, recomputed from the events, and write it.")


def command(flags: Flags) -> None:
    """Serve the contest until interrupted; or print its score."""
    if storage.is_remote(flags.output_dir):
        raise UsageError("--output_dir must be local: every event is brought to its disk at once")
    if flags.public_url and not flags.public_url.startswith(("http://", "https://")):
        raise UsageError(f"--public_url: https://… expected. Received: {flags.public_url}")
    from quickdraw.draw_off import running

    if flags.score:
        running.print_score(flags.output_dir)
    else:
        running.serve(flags)


def main(argv: list[str] | None = None) -> int:
    """Run the console command `quickdraw-draw-off`; return its exit code."""
    return cli.run(Flags, command, argv)
