"""The command line: mistakes cost one line and no time, --config is checked like flags."""

import dataclasses
import json
import os
import resource
import subprocess
import sys
from pathlib import Path
from typing import Literal

import pytest
from absl import flags

from quickdraw import average, calibrate, cli, errors, inference, score, sweep, train
from quickdraw import eval as evaluation
from quickdraw.errors import QuickdrawError
from quickdraw.fields import field

COMMANDS = {"train": train, "eval": evaluation, "inference": inference, "score": score}
COMMANDS |= {"calibrate": calibrate, "average": average, "sweep": sweep}


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path, monkeypatch):
    """What a command writes by mistake does not land in the repository."""
    monkeypatch.chdir(tmp_path)


@dataclasses.dataclass(kw_only=True)
class Flags(cli.Config):
    """The flags of a command that is none."""

    model: str = field("LogisticModel", "Which model.")
    model_params: str = field("", "Its parameters.")
    train_dir: str | None = field(None, "Where to.")
    batch_size: int = field(128, "Drawings a step.", 1)
    max_steps: int | None = field(None, "When to end.")
    learning_rate: float = field(0.5, "How fast.", above=0)
    start_new_model: bool = field(False, "Anew.")
    on_bad_record: Literal["error", "skip"] = field("error", "What then.")


def parsed(*arguments: str) -> flags.FlagValues:
    values = flags.FlagValues()
    cli.define_flags(values, Flags)
    cli.parse(values, ["program", *arguments])
    return values


@pytest.fixture
def config(tmp_path):
    """Writes a file of settings; returns the flag that names it."""

    def write(content) -> str:
        path = tmp_path / "config.json"
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        return f"--config={path}"

    return write


def run(command, *arguments: str) -> int:
    return cli.run(Flags, command, ["program", *arguments])


def fail_with(error: BaseException):
    def command(values):
        raise error

    return command


# Flags


def test_flags_are_parsed_and_the_others_keep_their_defaults():
    values = parsed("--batch_size=3", "--start_new_model", "--learning_rate", "0.25")
    assert (values.batch_size, values.start_new_model, values.learning_rate) == (3, True, 0.25)
    assert values.model == "LogisticModel"


@pytest.mark.parametrize(
    ("argument", "told"),
    [
        ("--modle=x", "model"),
        ("--batchsize=3", "batch_size"),
        ("--batch_size=many", "batch_size"),
        ("--on_bad_record=ignore", "error|skip"),
        ("model=CnnModel", "model=CnnModel"),
    ],
)
def test_a_mistake_is_told_in_one_line_with_what_is_right(argument, told, capsys):
    assert run(lambda values: pytest.fail("must not run"), argument) == 2
    printed = capsys.readouterr().err.splitlines()
    assert printed[0].startswith("program: ")
    assert told in printed[0]
    assert printed[1:] == ["See program --help"]


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("cnn_model", "'CnnModel'"),
        ("CnModel", "'CnnModel'"),
        ("logisticmodel", "'LogisticModel'"),
    ],
)
def test_the_nearest_known_word_is_suggested(word, expected):
    known = ["CnnModel", "LogisticModel", "MlpModel"]
    assert errors.did_you_mean(word, known) == (
        f". Did you mean {expected}? Known: CnnModel, LogisticModel, MlpModel"
    )


def test_nothing_is_suggested_for_a_word_unlike_all_others():
    assert errors.did_you_mean("xyz", ["CnnModel"]) == ". Known: CnnModel"


@pytest.mark.parametrize(
    ("argument", "told"),
    [
        ("--batch_size=0", "--batch_size must be at least 1. Received: 0"),
        ("--learning_rate=0", "--learning_rate must be above 0. Received: 0.0"),
        ("--learning_rate=nan", "--learning_rate must be above 0. Received: nan"),
    ],
)
def test_a_number_out_of_bounds_is_told(argument, told, capsys):
    assert run(lambda values: pytest.fail("must not run"), argument) == 2
    assert capsys.readouterr().err.splitlines()[0] == f"program: {told}"


# --config


def test_settings_come_from_the_file_and_the_command_line_wins(config):
    file = config({"batch_size": 7, "model": "CnnModel", "start_new_model": True})
    for arguments in ([file, "--batch_size=9", "--nostart_new_model"], ["--batch_size=9", file]):
        values = parsed(*arguments)
        assert (values.batch_size, values.model) == (9, "CnnModel")
    assert parsed(file).batch_size == 7
    assert parsed(file).start_new_model
    assert not parsed(file, "--nostart_new_model").start_new_model


def test_the_command_line_wins_even_with_the_default(config):
    assert parsed(config({"batch_size": 7}), "--batch_size=128").batch_size == 128


def test_a_comment_is_no_setting(config):
    assert parsed(config({"comment": "for the camp", "batch_size": 7})).batch_size == 7


def test_numbers_may_be_written_as_text(config):
    values = parsed(config({"batch_size": "7", "learning_rate": 1, "start_new_model": "false"}))
    assert (values.batch_size, values.learning_rate, values.start_new_model) == (7, 1.0, False)


def test_an_object_is_taken_as_parameters(config):
    params = {"filters": [8, 16], "dropout": 0.5}
    assert json.loads(parsed(config({"model_params": params})).model_params) == params


@pytest.mark.parametrize("name", ["train_dir", "max_steps"])
def test_null_leaves_a_setting_at_its_default(config, name):
    assert parsed(config({name: None}))[name].value is None


def test_an_unknown_key_is_named_with_the_nearest(config):
    with pytest.raises(
        errors.UsageError, match=r"config\.json: unknown key 'batchsize'.*'batch_size'"
    ):
        parsed(config({"batchsize": 7}))


@pytest.mark.parametrize(
    "settings",
    [
        {"batch_size": "many"},
        {"batch_size": 1.5},
        {"batch_size": True},
        {"batch_size": [1]},
        {"learning_rate": "fast"},
        {"learning_rate": True},
        {"start_new_model": "perhaps"},
        {"on_bad_record": "ignore"},
        {"model": 3},
        {"train_dir": ["runs"]},
    ],
    ids=str,
)
def test_a_value_of_the_wrong_type_is_named_with_its_file(config, settings):
    (name,) = settings
    with pytest.raises(errors.UsageError, match=rf"config\.json: .*{name}"):
        parsed(config(settings))


@pytest.mark.parametrize("value", [True, [1], "often"])
def test_how_often_to_evaluate_is_a_number(config, value):
    values = flags.FlagValues()
    cli.define_flags(values, train.Flags)
    with pytest.raises(errors.UsageError, match="eval_every"):
        cli.parse(values, ["program", config({"eval_every": value})])


@pytest.mark.parametrize("content", ["[1]", "{", "", '"text"'])
def test_a_file_without_settings_is_refused(config, content):
    with pytest.raises(QuickdrawError, match=r"config\.json"):
        parsed(config(content))


def test_a_file_that_is_not_there_is_named(tmp_path, capsys):
    path = tmp_path / "missing.json"
    assert run(lambda values: None, f"--config={path}") != 0
    assert capsys.readouterr().err.startswith(f"program: {path}: No such file")


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


def test_a_full_disk_is_told_with_what_to_do(capsys):
    assert run(fail_with(OSError(28, "No space left on device", "/x"))) == 1
    printed = capsys.readouterr().err
    assert printed.startswith("program: /x: No space left on device")
    assert "free some space" in printed


def test_a_full_disk_that_tensorflow_reports_is_one_line_too(capsys):
    import tensorflow as tf

    error = tf.errors.ResourceExhaustedError(None, None, "/x; No space left on device\n[Op:Save]")
    assert run(fail_with(error)) == 1
    assert capsys.readouterr().err == "program: /x; No space left on device\n"


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
        cwd=Path(__file__).parents[1],
    )
    assert done.returncode == 0
    done = subprocess.run(
        [sys.executable, "-m", "quickdraw.score", "--solutoin=x"],
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[1],
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
        cwd=Path(__file__).parents[1],
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
