"""The exceptions that stand for a user's mistake, not for a bug."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class QuickdrawError(Exception):
    """Something the user can put right: a path, a flag, a record, a class name.

    The message is one line: what is wrong, what was expected, what was received, and where.
    Entry points print it without a traceback and exit with `exit_code`.
    """

    exit_code = 1

    def _render_traceback_(self) -> list[str]:
        """Return what a notebook shows in the place of a traceback (IPython asks for it)."""
        return [f"{type(self).__name__}: {self}"]


class BadRecordError(QuickdrawError):
    """A record that cannot be used; `--on_bad_record=skip` counts these and goes on.

    Attributes:
        path: the shard that holds it.
        number: its position in the shard, counted from 0.
    """

    def __init__(self, path: str, number: int, what: str):
        super().__init__(f"{path}, record {number}: {what}")
        self.path, self.number = path, number


class StoppedError(QuickdrawError):
    """Work that was broken off from outside, and goes on when the same command is started again."""

    exit_code = 75  # EX_TEMPFAIL of sysexits.h: try again


class InterruptedWork(KeyboardInterrupt):
    """Ctrl-C, or a notebook's square button, after all was saved: calling it again goes on."""

    def _render_traceback_(self) -> list[str]:
        """See `QuickdrawError`."""
        return [f"{type(self).__name__}: {self}"]


class UsageError(QuickdrawError):
    """A mistake on the command line or in the file that `--config` names."""

    exit_code = 2


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return `. Did you mean 'x'? Known: …`: the end of a message about an unknown name."""
    known = sorted(known)
    close = difflib.get_close_matches(word, known, n=1, cutoff=0.5) or difflib.get_close_matches(
        word.lower(), [name.lower() for name in known], n=1, cutoff=0.5
    )
    nearest = [name for name in known if close and name.lower() == close[0].lower()]
    return (f". Did you mean {nearest[0]!r}?" if nearest else ".") + f" Known: {', '.join(known)}"
