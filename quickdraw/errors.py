"""The exceptions that stand for a user's mistake, not for a bug."""


class QuickdrawError(Exception):
    """Something the user can put right: a path, a flag, a record, a class name.

    The message is one line: what is wrong, what was expected, what was received, and where.
    Entry points print it without a traceback and exit with `exit_code`.
    """

    exit_code = 1


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
