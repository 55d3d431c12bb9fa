"""Lists, follows and cancels the Vertex AI jobs that `quickdraw.vertex.submit` started.

    python -m quickdraw.vertex.jobs list
    python -m quickdraw.vertex.jobs follow --job=1234567890
    python -m quickdraw.vertex.jobs cancel --job=1234567890

`follow` ends when the job does, with exit code 0 if it went well. Numbers are those that `list`
prints, or full resource names.
"""

from __future__ import annotations

import dataclasses
import sys
from typing import Literal

from quickdraw import cli
from quickdraw.errors import UsageError
from quickdraw.fields import field
from quickdraw.vertex import service


@dataclasses.dataclass(kw_only=True)
class Flags(service.PollFlags):
    """The flags of this command."""

    action: Literal["list", "follow", "cancel"] | None = field(
        None, "list, follow or cancel: the first word."
    )
    job: str | None = field(None, "Number or resource name of the job.")


def command(flags: Flags) -> None:
    """Do what the first word says."""
    if not flags.action:
        raise UsageError("the first word says what to do: list, follow, cancel")
    if flags.action == "list":
        for number, state, name in service.Jobs(flags).list():
            print(f"{number:24} {state:12} {name}")
    elif not flags.job:
        raise UsageError("--job is needed: the number that `list` prints")
    elif flags.action == "follow":
        service.Jobs(flags).follow(flags.job)
    else:
        service.Jobs(flags).cancel(flags.job)
        print(f"{flags.job}: asked to stop")


def main(argv: list[str] | None = None) -> int:
    """Run the console command `quickdraw-jobs`; return its exit code."""
    argv = cli.first_word_as("action", sys.argv if argv is None else argv)
    return cli.run(Flags, command, argv)


if __name__ == "__main__":
    sys.exit(main())
