"""One call of a command: flags in, its work, an exit code out."""

from __future__ import annotations

import contextlib
import gc
import inspect
import os
import signal
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from types import FrameType
from typing import TypeVar

from absl import flags

from quickdraw import environment
from quickdraw.cli.command_line import define_flags, help_of, parse, read_flags
from quickdraw.cli.failures import explain
from quickdraw.cli.other_names import NOWHERE, Elsewhere
from quickdraw.cli.surroundings import (
    check_current_folder,
    check_text,
    let_libraries_warn,
    make_streams_usable,
)
from quickdraw.console import log
from quickdraw.errors import QuickdrawError, UsageError
from quickdraw.import_order import hidden_files

F = TypeVar("F")

# Keras imports them where they are installed, with --mlflow for instance, for wrappers, tables and
# pictures that no command uses: a third of the whole import, and again an eighth of what is left.
_NOT_NEEDED = ("sklearn", "matplotlib", "pandas", "IPython")

_KERAS_NUMBERS = ("float32", 1e-7)
_EXIT_SIGNAL = 128
_NOTICES = (
    "InitializeLog()",
    "oneDNN custom operations",
    "Could not find cuda drivers",
    "failed call to cuInit",
)


def run(
    kind: type[F],
    command: Callable[[F], None],
    argv: list[str] | None = None,
    elsewhere: Elsewhere = NOWHERE,
) -> int:
    """Run an entry point and return its exit code; a user's mistake prints one line.

    Args:
        kind: the dataclass whose fields are the entry point's flags.
        command: does the work; its module's docstring is the manual that `--help` prints.
        argv: program name and arguments; `sys.argv` when not given.
        elsewhere: the flags on the other side of the command's `--`.
    """
    make_streams_usable()
    let_libraries_warn()
    argv = sys.argv if argv is None else argv
    module = inspect.getmodule(command)
    name = _program(argv[0])
    values = flags.FlagValues()
    define_flags(values, kind)
    try:
        if "--help" in argv[1:] or "-h" in argv[1:]:
            print(f"{inspect.getdoc(module) or name}\n\nFlags:\n{help_of(values)}", flush=True)
            return 0
        check_text(argv)
        check_current_folder()
        parse(values, argv, elsewhere)
        with _tidily_stopped():
            command(read_flags(values, kind))
        return 0
    except QuickdrawError as error:
        hint = f"\nSee {name} --help" if isinstance(error, UsageError) else ""
        print(f"{name}: {error}{hint}", file=sys.stderr)
        return environment.exit_code(error.exit_code)
    except BrokenPipeError:  # whoever read stdout, `head` for instance, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except _Stopped as stopped:
        print(f"{name}: stopped by {stopped.by.name}", file=sys.stderr)
        return _EXIT_SIGNAL + stopped.by
    except KeyboardInterrupt:
        print(f"{name}: interrupted", file=sys.stderr)
        return _EXIT_SIGNAL + signal.SIGINT
    except Exception as error:
        explanation = explain(error)
        if explanation is None:
            raise
        print(f"{name}: {explanation}", file=sys.stderr)
        return QuickdrawError.exit_code


class _Stopped(KeyboardInterrupt):
    """A signal other than Ctrl-C asked the process to end."""

    def __init__(self, by: signal.Signals):
        super().__init__()
        self.by = by


@contextlib.contextmanager
def _tidily_stopped() -> Iterator[None]:
    """Let SIGTERM, and a terminal that is closed, end the work as Ctrl-C does: nothing stays half.

    What somebody else handles, as nohup does by ignoring it, is left to them.
    """

    def stop(by: int, frame: FrameType | None) -> None:
        signal.signal(by, signal.SIG_IGN)  # `timeout` sends it twice, and tidying up takes a while
        raise _Stopped(signal.Signals(by))

    signals = [signal.SIGTERM, signal.SIGHUP]
    if threading.current_thread() is not threading.main_thread():  # which alone sets handlers
        signals.clear()
    taken = [each for each in signals if signal.getsignal(each) is signal.SIG_DFL]
    for each in taken:
        signal.signal(each, stop)
    try:
        yield
    finally:
        for each in taken:
            signal.signal(each, signal.SIG_DFL)


def _program(path: str) -> str:
    folder, name = os.path.split(path)
    if not name.endswith(".py"):
        return name
    module = () if name == "__main__.py" else (name[:-3],)
    return "python -m " + ".".join(("quickdraw", *_below_package(folder), *module))


def _below_package(folder: str) -> list[str]:
    parts = folder.replace(os.sep, "/").split("/")
    at = len(parts) - 1 - parts[::-1].index("quickdraw") if "quickdraw" in parts else len(parts)
    return parts[at + 1 :]


def load_tensorflow(may_share: Callable[[], bool] = lambda: True) -> None:
    """Import TensorFlow and find its devices, without the notices that concern no user.

    Args:
        may_share: whether each core may take a share of a batch (see `quickdraw.cores`); called
            when TensorFlow is imported and has not started.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    # Before ~/.keras/keras.json, too.
    if (backend := os.environ.get("KERAS_BACKEND") or "tensorflow") != "tensorflow":
        log(f"KERAS_BACKEND={backend} is passed over: models are trained with TensorFlow")
    os.environ["KERAS_BACKEND"] = "tensorflow"
    gc.disable()  # modules are no garbage; looking for it takes a sixth of the import
    try:
        with _without_notices(), _not_imported(*_NOT_NEEDED):
            import keras
            import tensorflow as tf

        gc.freeze()
    except ImportError as error:
        line = str(error).strip().splitlines()[-1]
        raise QuickdrawError(
            f"TensorFlow cannot be imported: {line} (python -c 'import tensorflow' tells more)"
        ) from error
    finally:
        gc.enable()
    floatx, epsilon = keras.config.floatx(), keras.config.epsilon()
    if (floatx, epsilon) != _KERAS_NUMBERS:
        log(
            f"~/.keras/keras.json is passed over (floatx {floatx}, epsilon {epsilon:g}), as it "
            "would decide about results: --precision says what to compute in"
        )
        keras.config.set_floatx(_KERAS_NUMBERS[0])
        keras.config.set_epsilon(_KERAS_NUMBERS[1])
    from quickdraw import cores

    with _without_notices():
        cores.share_out(may_share)
        if "TF_CONFIG" not in os.environ:  # workers must connect before devices are used
            tf.config.list_logical_devices()
    for file in hidden_files():
        log(
            f"warning: {file} has the name of a module of Python's or of a package, and cannot be "
            "imported. Rename it"
        )


@contextlib.contextmanager
def _without_notices() -> Iterator[None]:
    """Filter TensorFlow's notices on their way to stderr.

    Version 2.21 prints them whatever TF_CPP_MIN_LOG_LEVEL says. Anything else, such as a GPU that
    cannot be used, is passed on.
    """
    sys.stderr.flush()
    stderr = os.dup(2)
    with tempfile.TemporaryFile() as captured:
        os.dup2(captured.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(stderr, 2)
            os.close(stderr)
            captured.seek(0)
            for line in captured.read().decode(errors="replace").splitlines():
                if not any(notice in line for notice in _NOTICES):
                    print(line, file=sys.stderr)


@contextlib.contextmanager
def _not_imported(*names: str) -> Iterator[None]:
    """Let packages seem to be missing, unless they are loaded already."""
    hidden = [name for name in names if name not in sys.modules]
    sys.modules.update(dict.fromkeys(hidden))  # type: ignore[arg-type]  # None: ImportError
    try:
        yield
    finally:
        for name in hidden:
            del sys.modules[name]
