"""What the entry points share: flags in, one call, exit code out.

Flags are defined in functions on a `FlagValues` of their own, so importing a module defines none,
and parsing them needs no TensorFlow.
"""

from __future__ import annotations

import difflib
import errno
import gc
import inspect
import json
import os
import sys
import tempfile
from collections.abc import Callable, Iterable
from typing import Any

from absl import flags

from quickdraw import vertex_job
from quickdraw.errors import QuickdrawError
from quickdraw.progress import log

_EXIT_INTERRUPTED = 130
_NOTICES = (
    "InitializeLog()",
    "oneDNN custom operations",
    "Could not find cuda drivers",
    "failed call to cuInit",
)


class UsageError(QuickdrawError):
    """A mistake on the command line or in the file that `--config` names."""

    exit_code = 2


def run(
    define_flags: Callable[[flags.FlagValues], None],
    command: Callable[[flags.FlagValues], None],
    argv: list[str] | None = None,
) -> int:
    """Runs an entry point and returns its exit code; a user's mistake prints one line.

    Args:
        define_flags: defines the entry point's flags on the values it is given.
        command: does the work; its module's docstring is the manual that `--help` prints.
        argv: program name and arguments; `sys.argv` when not given.
    """
    argv = sys.argv if argv is None else argv
    module = inspect.getmodule(command)
    name = _program(argv[0])
    values = flags.FlagValues()
    define_flags(values)
    if "--help" in argv[1:] or "-h" in argv[1:]:
        print(f"{inspect.getdoc(module)}\n\nFlags:\n{help_of(values)}")
        return 0
    try:
        parse(values, argv)
        command(values)
        return 0
    except QuickdrawError as error:
        hint = f"\nSee {name} --help" if isinstance(error, UsageError) else ""
        print(f"{name}: {error}{hint}", file=sys.stderr)
        return vertex_job.exit_code(error.exit_code)
    except BrokenPipeError:
        # Whoever read stdout, `head` for instance, has seen enough.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        print(f"{name}: interrupted", file=sys.stderr)
        return _EXIT_INTERRUPTED
    except Exception as error:
        explanation = _explain(error)
        if explanation is None:
            raise
        print(f"{name}: {explanation}", file=sys.stderr)
        return QuickdrawError.exit_code


def _program(path: str) -> str:
    folder, name = os.path.split(path)
    if not name.endswith(".py"):
        return name
    return "python -m " + ".".join(("quickdraw", *_below_package(folder), name[:-3]))


def _below_package(folder: str) -> list[str]:
    parts = folder.replace(os.sep, "/").split("/")
    at = len(parts) - 1 - parts[::-1].index("quickdraw") if "quickdraw" in parts else len(parts)
    return parts[at + 1 :]


def load_tensorflow() -> None:
    """Imports TensorFlow and finds its devices, without the notices that concern no user.

    Version 2.21 prints them whatever TF_CPP_MIN_LOG_LEVEL says, so they are filtered on their way
    to stderr. Anything else, such as a GPU that cannot be used, is passed on.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    sys.stderr.flush()
    stderr = os.dup(2)
    with tempfile.TemporaryFile() as captured:
        os.dup2(captured.fileno(), 2)
        gc.disable()  # modules are no garbage; looking for it takes a sixth of the import
        try:
            import tensorflow as tf

            gc.freeze()

            if "TF_CONFIG" not in os.environ:  # workers must connect before devices are used
                tf.config.list_logical_devices()
        finally:
            gc.enable()
            os.dup2(stderr, 2)
            os.close(stderr)
            captured.seek(0)
            for line in captured.read().decode(errors="replace").splitlines():
                if not any(notice in line for notice in _NOTICES):
                    print(line, file=sys.stderr)


def define_run_flags(values: flags.FlagValues, checkpoint: str) -> None:
    """Defines the flags of the commands that try a run on labelled records.

    Args:
        values: where to define them.
        checkpoint: what `--checkpoint` says.
    """
    flags.DEFINE_string(
        "train_dir", "runs/LogisticModel", "The folder of the run.", flag_values=values
    )
    flags.DEFINE_string(
        "eval_data_pattern",
        None,
        "Patterns of labelled records. Without it, those that the training was validated on.",
        flag_values=values,
    )
    flags.DEFINE_enum("checkpoint", "best", ["best", "latest"], checkpoint, flag_values=values)


def define_bad_record_flag(values: flags.FlagValues) -> None:
    """Defines `--on_bad_record` for the commands that read records."""
    flags.DEFINE_enum(
        "on_bad_record",
        "error",
        ["error", "skip"],
        "What to do about a record that cannot be used: stop (error) or go on (skip).",
        flag_values=values,
    )


def define_config_flag(values: flags.FlagValues) -> None:
    """Defines `--config`."""
    flags.DEFINE_string(
        "config",
        None,
        "JSON file with values for any of these flags; the command line wins.",
        flag_values=values,
    )


def eval_data_pattern(values: flags.FlagValues, settings: dict[str, Any]) -> str:
    """The value of `--eval_data_pattern`, by default what a run with these settings had.

    Raises:
        UsageError: there is neither.
    """
    patterns = values.eval_data_pattern or settings["eval_data_pattern"]
    if not patterns:
        raise UsageError(
            "--eval_data_pattern is needed: the training was not validated on any records"
        )
    if settings.get("use_valid_as_train") and patterns == settings["eval_data_pattern"]:
        log(
            "warning: the model was trained on these records too (--use_valid_as_train): figures "
            "mean nothing"
        )
    return patterns


def help_of(values: flags.FlagValues) -> str:
    """One paragraph a flag: name, default, meaning."""
    lines = []
    for name in sorted(values):
        flag = values[name]
        default = "" if flag.default is None else f" (default: {flag.default_as_str})"
        lines.append(f"  --{name}{default}\n      {flag.help}")
    return "\n".join(lines)


def parse(values: flags.FlagValues, argv: list[str]) -> None:
    """Parses a command line; what it leaves unset is taken from the JSON file `--config` names.

    Raises:
        UsageError: an unknown flag or key (with the nearest known one), or a value of the wrong
            type.
    """
    try:
        rest = values(argv)
    except flags.Error as error:
        raise UsageError(str(error).replace("FATAL Flags parsing error: ", "")) from None
    if len(rest) > 1:
        raise UsageError(f"every setting is a --flag=value. Received: {rest[1]!r}")
    if "config" in values and values["config"].value:
        _apply_config(values, values["config"].value)


def _apply_config(values: flags.FlagValues, path: str) -> None:
    from quickdraw import storage

    settings = storage.read_json(path)
    if not isinstance(settings, dict):
        raise UsageError(f"{path}: an object of flag names and values expected")
    for name, value in settings.items():
        if name == "comment":
            continue
        if name not in values:
            raise UsageError(f"{path}: unknown key {name!r}{did_you_mean(name, values)}")
        flag = values[name]
        if flag.present or value is None:
            continue
        try:
            flag.parse(json.dumps(value) if isinstance(value, dict) else value)
        except flags.Error as error:
            raise UsageError(f"{path}: {error}") from None


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`. Did you mean 'x'? Known: …`: the end of a message about an unknown name."""
    known = sorted(known)
    close = difflib.get_close_matches(word, known, n=1, cutoff=0.5) or difflib.get_close_matches(
        word.lower(), [name.lower() for name in known], n=1, cutoff=0.5
    )
    nearest = [name for name in known if close and name.lower() == close[0].lower()]
    return (f". Did you mean {nearest[0]!r}?" if nearest else ".") + f" Known: {', '.join(known)}"


def _explain(error: Exception) -> str | None:
    """One line for a failure of the machine rather than of the program; None for a bug."""
    if isinstance(error, OSError) and error.errno is not None:
        hint = " (free some space and run the same command again)" if _disk_full(error) else ""
        return f"{error.filename or 'writing'}: {error.strerror}{hint}"
    if "tensorflow" not in sys.modules:
        return None
    from tensorflow import errors

    if isinstance(error, errors.OpError) and any(
        words in error.message for words in ("No space left", "Read-only", "Permission denied")
    ):
        return error.message.splitlines()[0]
    return None


def _disk_full(error: OSError) -> bool:
    return error.errno in (errno.ENOSPC, errno.EDQUOT)
