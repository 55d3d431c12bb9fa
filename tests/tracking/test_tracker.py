"""Trackers are told of what a training does, in order, and of its end however it comes."""

import types

import numpy as np
import pytest

from quickdraw import runs
from quickdraw.errors import QuickdrawError, StoppedError
from quickdraw.tracking.parameters import parameters
from quickdraw.tracking.tracker import Tracker, Trackers
from quickdraw.training import Settings, fit


class Listener(Tracker):
    """Notes what it is told."""

    def __init__(self):
        self.heard = []

    def begin(self, run, train_dir, step):
        self.heard.append(("begin", step))

    def drawings(self, images, labels):
        self.heard.append(("drawings", images.dtype, len(images) == len(labels)))

    def report(self, report):
        top1 = report.evaluation.result()["top1"] if report.evaluation else None
        self.heard.append(("report", report.step, top1, report.is_best))

    def saved(self):
        self.heard.append(("saved",))

    def end(self, ending):
        self.heard.append(("end", ending))


def settings(data, folder, **changes):
    given = {"batch_size": 60, "num_epochs": 2.0, "base_learning_rate": 0.02, **changes}
    return Settings(
        train_data_pattern=data.train, eval_data_pattern=data.valid, train_dir=str(folder), **given
    )


def test_a_training_tells_how_it_goes_and_that_it_ends(tiny_data, tmp_path):
    listener = Listener()
    trained = fit(settings(tiny_data, tmp_path / "run"), [listener])
    first, second, *rest = listener.heard
    assert (first, second) == (("begin", 0), ("drawings", np.uint8, True))
    assert [kind for kind, *_ in rest] == ["report", "saved", "report", "saved", "end"]
    reports = [each for each in rest if each[0] == "report"]
    assert [step for _, step, _, _ in reports] == [2, 4]
    assert [step for _, step, _, is_best in reports if is_best][-1] == trained.step
    assert rest[-1] == ("end", "finished")
    again = Listener()
    fit(settings(tiny_data, tmp_path / "run"), [again])
    assert again.heard == [("begin", 4), ("end", "finished")]


def test_a_run_that_goes_on_keeps_when_it_was_started(tiny_data, tmp_path):
    """Who follows it would take it for another run, and a server for a shorter one."""
    folder = str(tmp_path / "run")
    fit(settings(tiny_data, folder))
    run = runs.read(folder)
    run.started = "2026-01-01T00:00:00+00:00"
    run.save(folder)
    fit(settings(tiny_data, folder))
    assert runs.read(folder).started == run.started


@pytest.mark.parametrize(
    ("raised", "ending"),
    [
        (StoppedError("SIGTERM"), "stopped"),
        (KeyboardInterrupt(), "stopped"),
        (QuickdrawError("the loss is not a number"), "failed"),
        (RuntimeError("a bug"), "failed"),
    ],
)
def test_however_it_ends_it_is_told(raised, ending):
    listeners = [Listener(), Listener()]
    with pytest.raises(type(raised)), Trackers(listeners).told(types.SimpleNamespace(), "run", 7):
        raise raised
    assert [each.heard for each in listeners] == [[("begin", 7), ("end", ending)]] * 2


def test_who_has_heard_of_the_beginning_hears_of_the_end_though_another_fails():
    class Deaf(Tracker):
        def begin(self, run, train_dir, step):
            raise OSError("disk full")

    first, last = Listener(), Listener()
    with pytest.raises(OSError), Trackers([first, Deaf(), last]).told(None, "run", 0):
        raise AssertionError("not begun")
    assert (first.heard, last.heard) == ([("begin", 0), ("end", "failed")], [])


def test_parameters_are_flat_and_none_hides_another(tiny_run):
    run = runs.read(tiny_run)
    run.model_params = {"momentum": 0.9, "filters": [16, 32], "norm": None}
    run.settings |= {"momentum": 0.5}
    found = parameters(run)
    assert found["model_params.momentum"] == 0.9 and found["momentum"] == 0.5
    assert found["model_params.filters"] == "16, 32"
    assert "model_params.norm" not in found
    assert (found["model"], found["classes"], found["seed"]) == ("LogisticModel", 3, 0)
    assert found["augment.flip"] is False
    assert all(isinstance(value, (int, float, str)) for value in found.values())


def test_tensorboard_finds_the_runs_and_what_made_them(tiny_data, tmp_path):
    """As its HPARAMS page reads them: by the folder, with parameters and start."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    from tensorboard.plugins.hparams import metadata

    folder = str(tmp_path / "run")
    fit(settings(tiny_data, folder))
    events = EventAccumulator(folder).Reload()
    content = events.SummaryMetadata(metadata.SESSION_START_INFO_TAG).plugin_data.content
    session = metadata.parse_session_start_info_plugin_data(content)
    assert session.group_name == folder
    assert session.hparams["batch_size"].number_value == 60
    assert session.hparams["model"].string_value == "LogisticModel"
    evaluated = EventAccumulator(f"{folder}/eval").Reload()
    assert set(evaluated.Tags()["tensors"]) >= {"top1", "ece", "f1/cat", "classification report"}
    assert {"best/top1", "best/ece"} <= set(events.Tags()["tensors"])
