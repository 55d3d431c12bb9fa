"""`eval`: the camp's command line, and a run that goes away while it waits."""

from __future__ import annotations

import pytest

from quickdraw import eval as evaluation
from quickdraw.errors import QuickdrawError
from quickdraw.runs import record


def evaluate(train_dir: str, *flags: str) -> int:
    return evaluation.main(["eval", f"--train_dir={train_dir}", "--run_once=True", *flags])


def test_the_camps_line_works(tiny_run, capsys):
    assert evaluate(tiny_run, "--model=LogisticModel", "--label_loss=CrossEntropyLoss") == 0
    assert "top-1" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("flag", "told"),
    [
        ("--model=CnnModel", "holds a run with --model=LogisticModel. Received: CnnModel"),
        ("--model=my_models.LogisticModel", "Received: my_models.LogisticModel"),
        ("--label_loss=FocalLoss", "holds a run with --label_loss=CrossEntropyLoss. Received"),
    ],
)
def test_another_model_or_loss_than_the_runs_is_refused(tiny_run, capsys, flag, told):
    assert evaluate(tiny_run, flag) == 1
    error = capsys.readouterr().err
    assert told in error and error.count("\n") == 1


@pytest.mark.parametrize(
    ("own", "given", "fits"),
    [
        ("CnnModel", "CnnModel", True),
        ("CnnModel", "quickdraw.models.CnnModel", True),
        ("CnnModel", "my_models.CnnModel", False),
        ("my_models.MyModel", "MyModel", True),
        ("my_models.MyModel", "my_models.MyModel", True),
        ("my_models.MyModel", "others.MyModel", False),
        ("my_models.MyModel", "Model", False),
        ("CnnModel", None, True),
    ],
)
def test_a_class_may_be_named_with_or_without_its_module(tiny_run, own, given, fits):
    run = record.read(tiny_run)
    run.model = own
    if fits:
        run.check_names(tiny_run, given, None)
    else:
        with pytest.raises(QuickdrawError, match="leave --model out"):
            run.check_names(tiny_run, given, None)
