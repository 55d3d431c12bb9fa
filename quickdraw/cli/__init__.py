"""What the entry points share: flags in, one call, exit code out."""

from quickdraw.cli.command_line import (
    Config,
    define_flags,
    first_word_as,
    parse,
    read_flags,
    types_of,
)
from quickdraw.cli.entry_point import load_tensorflow, run
from quickdraw.cli.other_names import Elsewhere

__all__ = [
    "Config",
    "Elsewhere",
    "define_flags",
    "first_word_as",
    "load_tensorflow",
    "parse",
    "read_flags",
    "run",
    "types_of",
]
