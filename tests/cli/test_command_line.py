"""Flags: mistakes cost one line, --config is checked like flags."""

import dataclasses
import json
import re
from typing import Literal

import pytest
from absl import flags

from quickdraw import average, calibrate, cli, errors, fields, inference, score, sweep, train
from quickdraw import eval as evaluation
from quickdraw.datasets import download, inspect, prepare, sample
from quickdraw.errors import QuickdrawError, UsageError
from quickdraw.fields import field


@dataclasses.dataclass(kw_only=True)
class Flags(cli.Config):
    """The flags of a command that is none."""

    model: str = field("LogisticModel", "Which model.")
    model_params: str = field("", "Its parameters.")
    train_dir: str | None = field(None, "Where to.")
    categories: tuple[str, ...] | None = field(None, "Which.")
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


# Flags


def test_flags_are_parsed_and_the_others_keep_their_defaults():
    values = parsed("--batch_size=3", "--start_new_model", "--learning_rate", "0.25")
    assert (values.batch_size, values.start_new_model, values.learning_rate) == (3, True, 0.25)
    assert values.model == "LogisticModel"


@pytest.mark.parametrize(
    ("argument", "told"),
    [
        ("--modle=x", "no flag --modle. Did you mean --model?"),
        ("--batchsize=3", "no flag --batchsize. Did you mean --batch_size?"),
        ("--epochs=3", "no flag --epochs: other commands have a --num_epochs, this one has none"),
        ("--nostart_new_model=3", "--nostart_new_model=3 does not take an argument"),
        ("--batch_size=many", "an integer expected. Received: 'many'"),
        ("--batch_size=1e3", "an integer expected. Received: '1e3'"),
        ("--learning_rate=0,001", "a number, such as 0.5 or 1e-3, expected. Received: '0,001'"),
        ("--learning_rate=2GB", "a number, such as 0.5 or 1e-3, expected. Received: '2GB'"),
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
    ("arguments", "told"),
    [
        (["--start_new_model", "True"], "Received: 'True'. Write --start_new_model=True"),
        (["–batch_size=3"], "a flag begins with two hyphens: --"),
        (["--train_dir", "a.csv", "b.csv"], "shell leaves them alone: --train_dir='…'"),
        (["--train_dir", "a", "elsewhere"], "Received: 'elsewhere'"),
        ([""], "Received: ''"),
    ],
)
def test_a_word_that_is_no_flag_is_told_with_what_to_do(arguments, told, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "b.csv").touch()
    with pytest.raises(errors.UsageError) as caught:
        parsed(*arguments)
    assert str(caught.value).endswith(told)


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
        ("--learning_rate=inf", "--learning_rate must be above 0. Received: inf"),
    ],
)
def test_a_number_out_of_bounds_is_told(argument, told, capsys):
    assert run(lambda values: pytest.fail("must not run"), argument) == 2
    assert capsys.readouterr().err.splitlines()[0] == f"program: {told}"


@pytest.mark.parametrize("argument", ["--train_dir=", "--categories=", "--max_steps="])
def test_a_variable_that_is_not_set_is_told(argument, capsys):
    """`--train_dir=$RUN` would go elsewhere, `--categories=$WORDS` take all."""
    assert run(lambda values: pytest.fail("must not run"), argument) == 2
    (line, _) = capsys.readouterr().err.splitlines()
    assert "is empty: say what is meant" in line or "an integer expected" in line


def test_an_empty_value_is_told_in_a_file_too_and_none_where_the_default_is_text(config):
    with pytest.raises(errors.UsageError, match="--train_dir is empty"):
        cli.read_flags(parsed(config({"train_dir": ""})), Flags)
    assert cli.read_flags(parsed("--model_params="), Flags).model_params == ""


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


def test_what_a_file_cannot_mean_is_refused(config, tmp_path):
    with pytest.raises(UsageError, match=r"config\.json: the file named as 'config' is not read"):
        parsed(config({"config": "other.json"}))
    with pytest.raises(UsageError, match=r'config\.json describes a run.* of its "settings" into'):
        parsed(config({"model": "CnnModel", "settings": {}, "data_fingerprint": "0"}))
    for text, why in (
        ('{"batch_size": 7, "model": "CnnModel", "batch_size": 8}', "names 'batch_size' twice"),
        ("[" * 100_000, "not a JSON file"),
    ):
        (tmp_path / "config.json").write_text(text)
        with pytest.raises(QuickdrawError, match=why):
            parsed(f"--config={tmp_path / 'config.json'}")


def test_a_flag_that_is_given_twice_is_told(config, capsys):
    assert parsed("--batch_size=7", "--batch_size=8", config({})).batch_size == 8
    told = capsys.readouterr().err
    assert "note: --batch_size is given 2 times: the last one counts" in told
    assert "config" not in told


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
        errors.UsageError,
        match=r"config\.json: unknown key 'batchsize'. Did you mean --batch_size\?",
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


# Paths


COMMANDS = (train, evaluation, inference, score, calibrate, average, sweep)
COMMANDS += (prepare, sample, download, inspect)
PLACES = re.compile(r".*(_dir|_file|_pattern)|config|source|output|predictions|solution")


@pytest.mark.parametrize("module", COMMANDS)
def test_a_tilde_is_the_home_folder_in_every_flag_that_is_a_path(module, monkeypatch):
    monkeypatch.setenv("HOME", "/home/me")
    names = [each.name for each in dataclasses.fields(module.Flags)]
    places = list(filter(PLACES.fullmatch, names))
    assert places
    made = module.Flags(**dict.fromkeys(places, "~/x, ~/y/z-*,a~,~"))
    fields.check(made)
    for name in places:
        assert getattr(made, name) == "/home/me/x,/home/me/y/z-*,a~,/home/me", name


def test_a_tilde_is_the_home_folder_in_a_list(monkeypatch):
    monkeypatch.setenv("HOME", "/home/me")
    flags = prepare.Flags(categories=("~/names.txt",))
    fields.check(flags)
    assert flags.categories == ("/home/me/names.txt",)


def test_config_is_found_in_the_home_folder(config, monkeypatch, tmp_path):
    config({"batch_size": 7})
    monkeypatch.setenv("HOME", str(tmp_path))
    assert parsed("--config=~/config.json").batch_size == 7


@pytest.mark.parametrize(
    ("argument", "told"),
    [
        ("--start_new_model=yes", "true or false expected. Received: 'yes'"),
        ("--no-start-new-model", "Did you mean --nostart_new_model?"),
        ("--no_start_new_model", "Did you mean --nostart_new_model?"),
    ],
)
def test_yes_and_no_are_told(argument, told):
    with pytest.raises(QuickdrawError, match=re.escape(told)):
        parsed(argument)
