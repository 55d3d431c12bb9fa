"""Entry points: exit codes, one line a failure, no time for help and mistakes."""

import dataclasses
import os
import resource
import shlex
import signal
import subprocess
import sys
import warnings
from pathlib import Path

import pytest
from absl import flags

from quickdraw import average, calibrate, cli, errors, inference, score, sweep, train
from quickdraw import eval as evaluation
from quickdraw.errors import QuickdrawError

ROOT = Path(__file__).resolve().parents[2]
COMMANDS = {"train": train, "eval": evaluation, "inference": inference, "score": score}
COMMANDS |= {"calibrate": calibrate, "average": average, "sweep": sweep}


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path, monkeypatch):
    """What a command writes by mistake does not land in the repository."""
    monkeypatch.chdir(tmp_path)


@dataclasses.dataclass(kw_only=True)
class Flags(cli.Config):
    """The flags of a command that has none of its own."""


def run(command, *arguments: str) -> int:
    return cli.run(Flags, command, ["program", *arguments])


def fail_with(error: BaseException):
    def command(values):
        raise error

    return command


# Exit codes


def test_the_exit_code_is_0_when_the_command_returns():
    assert run(lambda values: None) == 0


@pytest.mark.parametrize(
    ("error", "code", "printed"),
    [
        (QuickdrawError("no such model"), 1, "program: no such model\n"),
        (errors.UsageError("no such flag"), 2, "program: no such flag\nSee program --help\n"),
        (KeyboardInterrupt(), 130, "program: interrupted\n"),
        (PermissionError(13, "Permission denied", "/x"), 1, "program: /x: Permission denied\n"),
        (FileNotFoundError(2, "No such file", "/x"), 1, "program: /x: No such file\n"),
    ],
)
def test_a_failure_is_one_line_and_an_exit_code(error, code, printed, capsys):
    assert run(fail_with(error)) == code
    assert capsys.readouterr().err == printed


@pytest.mark.parametrize("by", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_the_work_tidily(by, capsys):
    tidied = []

    def work(flags):
        try:
            signal.raise_signal(by)
        finally:
            signal.raise_signal(by)  # as `timeout` does
            tidied.append(True)

    assert run(work) == 128 + by
    assert capsys.readouterr().err == f"program: stopped by {by.name}\n"
    assert tidied
    assert signal.getsignal(by) is signal.SIG_DFL


def test_a_signal_that_nohup_ignores_is_ignored(capsys):
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        assert run(lambda flags: signal.raise_signal(signal.SIGHUP)) == 0
    finally:
        signal.signal(signal.SIGHUP, signal.SIG_DFL)
    assert capsys.readouterr().err == ""


def test_a_full_disk_is_told_with_what_to_do(capsys):
    assert run(fail_with(OSError(28, "No space left on device", "/x"))) == 1
    printed = capsys.readouterr().err
    assert printed.startswith("program: /x: No space left on device")
    assert "free some space" in printed


def test_a_name_that_the_systems_encoding_lacks_is_one_line(capsys):
    assert run(fail_with(UnicodeEncodeError("ascii", "data/새-*", 5, 6, "ordinal"))) == 1
    told = capsys.readouterr().err
    assert told == (
        "program: 'data/\\uc0c8-*': ascii, the encoding of this system, has no letters for that: "
        "set PYTHONUTF8=1\n"
    )


def test_a_full_disk_that_tensorflow_reports_is_one_line_too(capsys):
    import tensorflow as tf

    what = "{{function_node __wrapped__SaveV2}} /x; No space left on device [Op:SaveV2]\nmore"
    assert run(fail_with(tf.errors.ResourceExhaustedError(None, None, what))) == 1
    told = "program: /x; No space left on device (free some space and run the same command again)\n"
    assert capsys.readouterr().err == told


@pytest.mark.parametrize(
    "bug", [ZeroDivisionError("a bug"), TypeError("a bug"), OSError("a bug"), ValueError("a bug")]
)
def test_a_bug_keeps_its_traceback(bug):
    with pytest.raises(type(bug), match="a bug"):
        run(fail_with(bug))


# The entry points


@pytest.mark.parametrize("name", COMMANDS)
def test_help_is_the_manual_and_every_flag(name, capsys):
    module = COMMANDS[name]
    assert module.main([f"quickdraw-{name}", "--help"]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith(module.__doc__.splitlines()[0])
    assert f"python -m quickdraw.{name}" in printed
    values = flags.FlagValues()
    cli.define_flags(values, module.Flags)
    for flag in values:
        assert f"  --{flag}" in printed
        assert values[flag].help in printed


STARTED = """
import sys
import warnings
from quickdraw.{name} import main
code = main(["quickdraw-{name}", {argument!r}])
heavy = {{"tensorflow", "keras", "google.cloud.storage", "google.cloud.aiplatform"}}
heavy &= set(sys.modules)
sys.exit(f"imported {{heavy}}" if heavy else code)
"""


@pytest.mark.parametrize("name", COMMANDS)
@pytest.mark.parametrize(("argument", "code"), [("--help", 0), ("--train_dri=x", 2)])
def test_help_and_mistakes_are_answered_at_once(name, argument, code):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        [sys.executable, "-c", STARTED.format(name=name, argument=argument)],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    # Processor time: wall time would blame the command for what else the machine does.
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 1


def test_python_m_names_itself_in_a_mistake():
    done = subprocess.run(
        [sys.executable, "-m", "quickdraw.score", "--help", "--solutoin=x"],
        capture_output=True,
        text=True,
        cwd=ROOT,
    )
    assert done.returncode == 0
    done = subprocess.run(
        [sys.executable, "-m", "quickdraw.score", "--solutoin=x"],
        capture_output=True,
        text=True,
        cwd=ROOT,
    )
    assert done.returncode == 2
    assert done.stderr.startswith("python -m quickdraw.score: ")
    assert "solution" in done.stderr.splitlines()[0]


def test_importing_the_package_imports_nothing_else():
    code = (
        "import sys; old = set(sys.modules); import quickdraw; "
        "new = {name.partition('.')[0] for name in set(sys.modules) - old}; "
        "sys.exit(0 if new == {'quickdraw'} else str(new))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        cwd=ROOT,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("name", "arguments", "told"),
    [
        ("inference", [], "--input_data_pattern"),
        ("score", [], "--predictions and --solution"),
        ("score", ["--predictions=x.csv"], "--predictions and --solution"),
        ("train", ["--batch_size=0"], "--batch_size must be at least 1. Received: 0"),
        ("train", ["--num_epochs=-1"], "--num_epochs must be above 0. Received: -1"),
        ("train", ["--base_learning_rate=nan"], "--base_learning_rate must be above 0"),
        ("train", ["--eval_every=often"], "eval_every"),
        ("inference", ["--top_k=0"], "top_k"),
    ],
)
def test_mistakes_of_the_command_line_have_exit_code_2(name, arguments, told, capsys):
    assert COMMANDS[name].main([f"quickdraw-{name}", *arguments]) == 2
    assert told in capsys.readouterr().err


def test_packages_that_no_command_needs_seem_missing_only_for_a_while(tmp_path, monkeypatch):
    from quickdraw.cli import entry_point

    (tmp_path / "seldom_needed.py").write_text("")
    monkeypatch.syspath_prepend(str(tmp_path))
    with entry_point._not_imported("seldom_needed", "json"):
        with pytest.raises(ImportError):
            import seldom_needed
        import json  # loaded before, so it stays
    import seldom_needed  # noqa: F401

    assert json.loads("1") == 1
    monkeypatch.delitem(sys.modules, "seldom_needed")


@pytest.mark.parametrize("name", ["한글", "ü", "b\udcff"])
def test_text_in_another_encoding_is_one_line(name, capsys):
    garbled = name.encode(errors="surrogateescape").decode("ascii", errors="surrogateescape")
    assert run(lambda values: None, f"--config={garbled}") == 2
    assert "text in UTF-8 expected" in capsys.readouterr().err


@pytest.mark.parametrize("backend", ["torch", "jax", ""])
def test_keras_computes_with_tensorflow_whatever_is_set(backend):
    program = (
        "from quickdraw import cli; cli.load_tensorflow()\n"
        "import keras; print(keras.backend.backend())"
    )
    environment = {**os.environ, "KERAS_BACKEND": backend}
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout == "tensorflow\n"
    assert ("is passed over" in done.stderr) == bool(backend)


def test_tensorflow_starts_without_a_notice():
    program = "from quickdraw import cli; cli.load_tensorflow()"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_a_folder_that_was_deleted_is_one_line(tmp_path, monkeypatch, capsys):
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    assert run(lambda values: None) == 1
    assert "program: the current folder was deleted, or moved" in capsys.readouterr().err


def test_a_folder_that_was_deleted_is_one_line_from_the_first_import_on(tmp_path):
    gone = tmp_path / "gone"
    gone.mkdir()
    line = f"rmdir {shlex.quote(str(gone))}; exec {shlex.quote(sys.executable)} -m quickdraw.score"
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    told = subprocess.run(
        ["sh", "-c", line], cwd=gone, env=environ, capture_output=True, text=True, check=False
    )
    assert (told.returncode, told.stderr.count("\n")) == (1, 1)
    assert "the current folder was deleted" in told.stderr


def test_what_keras_json_says_of_numbers_is_passed_over(tmp_path):
    (tmp_path / ".keras").mkdir()
    (tmp_path / ".keras/keras.json").write_text('{"floatx": "float16", "epsilon": 0.1}')
    code = "from quickdraw import cli; cli.load_tensorflow(); import keras; "
    code += "print(keras.config.floatx(), keras.config.epsilon())"
    environ = {**os.environ, "PYTHONPATH": str(ROOT), "HOME": str(tmp_path)}
    told = subprocess.run(
        [sys.executable, "-c", code], env=environ, capture_output=True, text=True, check=True
    )
    assert told.stdout == "float32 1e-07\n"
    assert "keras.json is passed over (floatx float16, epsilon 0.1)" in told.stderr


def test_warnings_of_libraries_are_no_errors_of_commands(monkeypatch):
    monkeypatch.setattr(sys, "warnoptions", ["error"])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert run(lambda values: warnings.warn("old", DeprecationWarning, stacklevel=1)) == 0


def test_a_tensorflow_that_cannot_be_imported_is_one_line(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "tensorflow", None)
    assert run(lambda values: cli.load_tensorflow()) == 1
    assert "program: TensorFlow cannot be imported: " in capsys.readouterr().err


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_what_a_shell_has_closed_is_no_file_of_ours(closed, tmp_path):
    program = (
        "import dataclasses, os, sys\n"
        "from quickdraw import cli\n"
        "@dataclasses.dataclass\nclass Flags: pass\n"
        "def command(flags):\n"
        "    with open('kept', 'w') as file:\n"
        "        print('told'); os.write(2, b'notice'); sys.stderr.flush()\n"
        "        file.write(str(file.fileno() > 2))\n"
        "sys.exit(cli.run(Flags, command, ['program']))\n"
    )
    (tmp_path / "program.py").write_text(program)
    done = subprocess.run(
        f"{shlex.quote(sys.executable)} program.py {closed}",
        shell=True,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert done.returncode == 0
    assert (tmp_path / "kept").read_text() == "True"


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_names_that_the_output_cannot_hold_are_escaped(encoding):
    program = (
        "import dataclasses, sys\n"
        "from quickdraw import cli\n"
        "@dataclasses.dataclass\nclass Flags: pass\n"
        "sys.exit(cli.run(Flags, lambda flags: print('고양이'), ['program']))\n"
    )
    environment = {
        **os.environ,
        "PYTHONIOENCODING": encoding,
        "PYTHONPATH": os.pathsep.join(sys.path),
    }
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, env=environment)
    assert (done.returncode, done.stdout) == (0, rb"\uace0\uc591\uc774" + b"\n")
