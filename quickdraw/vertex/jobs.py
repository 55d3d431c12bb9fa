"""Lists, follows and cancels the Vertex AI jobs that `quickdraw.vertex.submit` started.

    python -m quickdraw.vertex.jobs list
    python -m quickdraw.vertex.jobs follow --job=1234567890
    python -m quickdraw.vertex.jobs cancel --job=1234567890

`follow` ends when the job does, with exit code 0 if it went well. Numbers are those that `list`
prints, or full resource names.
"""

from __future__ import annotations

import sys

from absl import flags

from quickdraw import cli
from quickdraw.vertex import service

_ACTIONS = ["list", "follow", "cancel"]


def define_flags(values: flags.FlagValues) -> None:
    """Defines the flags of this command."""
    flags.DEFINE_enum(
        "action", None, _ACTIONS, "list, follow or cancel: the first word.", flag_values=values
    )
    flags.DEFINE_string("job", None, "Number or resource name of the job.", flag_values=values)
    service.define_flags(values)
    service.define_poll_flag(values)


def command(values: flags.FlagValues) -> None:
    """Does what the first word says."""
    if not values.action:
        raise cli.UsageError(f"the first word says what to do: {', '.join(_ACTIONS)}")
    if values.action != "list" and not values.job:
        raise cli.UsageError("--job is needed: the number that `list` prints")
    jobs = service.Jobs(values)
    if values.action == "follow":
        jobs.follow(values.job)
    elif values.action == "cancel":
        jobs.cancel(values.job)
        print(f"{values.job}: asked to stop")
    else:
        for number, state, name in jobs.list():
            print(f"{number:24} {state:12} {name}")


def main(argv: list[str] | None = None) -> int:
    """The console command; returns its exit code."""
    argv = service.first_word_as("action", sys.argv if argv is None else argv)
    return cli.run(define_flags, command, argv)


if __name__ == "__main__":
    sys.exit(main())
