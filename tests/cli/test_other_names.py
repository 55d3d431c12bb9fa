"""What is answered to flags of other kits, and to mistyped ones."""

import dataclasses

import pytest

from quickdraw import average, calibrate, compare, export, inference, score, serve, sweep, train
from quickdraw import eval as evaluation
from quickdraw.cli import Elsewhere, other_names
from quickdraw.cli.other_names import hint
from quickdraw.datasets import download, inspect, prepare, sample
from quickdraw.report import __main__ as report
from quickdraw.vertex import job_flags, jobs, register, submit

COMMANDS = [train, evaluation, inference, score, calibrate, average, sweep]
COMMANDS += [
    report,
    export,
    serve,
    compare,
    prepare,
    download,
    sample,
    inspect,
    submit,
    jobs,
    register,
]


def names(command) -> list[str]:
    return [field.name for field in dataclasses.fields(command.Flags)]


@pytest.mark.parametrize(
    ("command", "typed", "meant"),
    [
        (train, "epochs", "num_epochs"),
        (train, "num-train-epochs", "num_epochs"),
        (train, "lr", "base_learning_rate"),
        (train, "learning_rate", "base_learning_rate"),
        (train, "batchsize", "batch_size"),
        (train, "Batch-Size", "batch_size"),
        (train, "val_data", "eval_data_pattern"),
        (train, "input_data_pattern", "train_data_pattern"),
        (train, "regularization_penalty", "weight_decay"),
        (train, "export_model_steps", "checkpoint_every_steps"),
        (train, "logdir", "train_dir"),
        (train, "DRY_RUN", "dry_run"),
        (train, "val_split", "valid_share"),
        (train, "USE_VALID", "use_valid_as_train"),
        (train, "optimiser", "optimizer"),
        (train, "augmnet", "augment"),
        (evaluation, "train_data_pattern", "eval_data_pattern"),
        (evaluation, "data_dir", "eval_data_pattern"),
        (inference, "test_data_pattern", "input_data_pattern"),
        (inference, "output", "output_file"),
        (inference, "output_path", "output_file"),
        (score, "submission", "predictions"),
        (inference, "output_dir", "output_file"),
        (report, "out", "output"),
        (prepare, "train_ratio", "split"),
        (train, "mixup", "augment"),
        (prepare, "input_dir", "source"),
        (submit, "num_gpus", "gpus"),
        (submit, "staging_bucket", "bucket"),
        (register, "container_image_uri", "serving_image"),
    ],
)
def test_the_flag_that_is_meant_is_named(command, typed, meant):
    assert hint(typed, names(command)) == f". Did you mean --{meant}?"


@pytest.mark.parametrize(
    ("command", "typed", "told"),
    [
        (train, "num_gpu", "--distribute=none takes one"),
        (train, "num_readers", "all cores are used"),
        (train, "resume", "the same command again goes on"),
        (train, "dropout", "--model_params="),
        (train, "train_ratio", "prepare --split"),
        (train, "run_once", ": other commands have a --run_once, this one has none"),
        (evaluation, "top_k", "inference --top_k"),
        (evaluation, "step", "--checkpoint chooses"),
        (train, "save-model", "always kept"),
        (train, "drop", "a parameter of the model"),
        (train, "batch_norm", "a parameter of the model"),
        (train, "clip-grad", "global_clipnorm"),
        (evaluation, "lr", ": other commands have a --base_learning_rate, this one has none"),
        (evaluation, "batch_size", "changes nothing here"),
        (inference, "model", "a run knows its own"),
    ],
)
def test_what_there_is_instead_is_told(command, typed, told):
    assert told in hint(typed, names(command))


def test_nothing_is_said_about_a_flag_unlike_all_others():
    assert hint("qwertz", names(train)) == ""


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("train_data_pattern", " here: --train_data_pattern belongs behind --, with the flags of"),
        ("train_data_patern", " here: --train_data_pattern belongs behind --"),
        ("epochs", " here: --num_epochs belongs behind --"),
        ("num_gpus", ". Did you mean --gpus?"),
        ("reigon", ". Did you mean --region?"),
    ],
)
def test_a_flag_on_the_wrong_side_of_the_dashes_is_told(typed, told):
    assert hint(typed, names(submit), job_flags.behind("train")).startswith(told)


def test_elsewhere_comes_after_what_the_command_has():
    assert hint("LR", ["lr"], Elsewhere(["LR"], "there")) == ". Did you mean --lr?"


def test_every_flag_that_answers_name_is_one():
    """Those that are planned are named, too."""
    known = {name for command in COMMANDS for name in names(command)}
    assert set(other_names._NAMES) - known <= {"init_from", "optimizer_params"}


def test_no_command_is_sent_away_from_a_flag_that_it_has():
    for command in COMMANDS:
        for name in names(command):
            assert hint(name, names(command)) == f". Did you mean --{name}?"
