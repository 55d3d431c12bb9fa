"""Two sets of records, or a run and a set, whose lists of labels differ: names decide."""

from __future__ import annotations

import csv
import dataclasses
import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from conftest import LABELS, SIDE, TinyData, drawings

from quickdraw import calibrate, inference, runs, score
from quickdraw import eval as evaluation
from quickdraw.errors import QuickdrawError
from quickdraw.readers import QuickDrawFeatureReader
from quickdraw.records import dataset_info
from quickdraw.training import Settings, fit
from quickdraw.training.data import cache, decode

TURNED = ["sun", "cat", "hot dog"]


@pytest.fixture(scope="module")
def turned(tiny_data, tmp_path_factory, write_records) -> TinyData:
    """The drawings of `tiny_data`, in a set that has its classes in another order."""
    folder = tmp_path_factory.mktemp("turned")
    numbers = [TURNED.index(name) for name in LABELS]
    for number, name in enumerate(["train-0", "train-1", "valid-0"]):
        labels = np.random.default_rng(number).permutation(np.arange(60) % 3)
        own = [numbers[label] for label in labels]
        write_records(folder / f"{name}.tfrecord", drawings(labels, number), label=own)
    shutil.copy(tiny_data.folder / "test-0.tfrecord", folder)
    answers = {name: numbers[label] for name, label in tiny_data.answers.items()}
    with open(folder / "solution.csv", "w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("image_id", "label"), *answers.items()])
    dataset_info.DatasetInfo(TURNED, SIDE, source="a test").save(str(folder))
    return TinyData(folder, TURNED, answers)


def renamed(data: TinyData, folder: Path, names: list[str] | None) -> TinyData:
    """A copy of a set with other names, or with none."""
    shutil.copytree(data.folder, folder)
    (folder / "dataset.json").unlink()
    if names:
        dataset_info.DatasetInfo(names, SIDE).save(str(folder))
    return dataclasses.replace(data, folder=folder)


def settings_of(train: str, run: Path, **more) -> Settings:
    rates = {"batch_size": 20, "num_epochs": 10.0, "base_learning_rate": 0.02, "eval_every": 5.0}
    return Settings(**{**rates, "train_data_pattern": train, "train_dir": str(run), **more})


def report(train_dir: str, patterns: str) -> dict:
    """What eval finds out about a copy of a run."""
    flags = [f"--train_dir={train_dir}", f"--eval_data_pattern={patterns}", "--run_once"]
    assert evaluation.main(["eval", *flags]) == 0
    return json.loads(Path(train_dir, "eval.json").read_text())


@pytest.fixture
def own_run(tiny_run, tmp_path) -> str:
    return str(shutil.copytree(tiny_run, tmp_path / "own"))


@pytest.mark.parametrize("processes", [1, 2])
def test_a_reader_brings_all_folders_into_one_order(
    tiny_data, turned, tmp_path, monkeypatch, processes
):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(decode, "_SMALL_BYTES", 0)
    monkeypatch.setattr(os, "cpu_count", lambda: processes)
    reader = QuickDrawFeatureReader()
    shards = reader.open(f"{turned.train},{tiny_data.train}")
    assert shards.info.labels == TURNED
    decoded = cache.load(reader, shards, "reading", 100)
    half = len(decoded) // 2
    assert np.array_equal(decoded.labels[:half], decoded.labels[half:])
    assert np.array_equal(decoded.inputs["image"][:half], decoded.inputs["image"][half:])
    streamed = np.concatenate([labels for _, labels in reader.some(shards, 7)])
    assert np.array_equal(streamed, decoded.labels)


def test_the_cache_knows_the_order(turned, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    reader = QuickDrawFeatureReader(num_classes=3)
    own, others = (
        cache.load(reader, reader.open(turned.valid, names), "reading", 100)
        for names in (None, LABELS)
    )
    assert own.fingerprint != others.fingerprint
    assert [LABELS[label] for label in others.labels] == [TURNED[label] for label in own.labels]


def test_a_label_that_its_own_list_does_not_have_is_a_bad_record(tmp_path, write_records):
    write_records(tmp_path / "valid-0", drawings([0, 1, 2], 0), label=[0, 1, 2])
    dataset_info.DatasetInfo(["sun", "cat"], SIDE).save(str(tmp_path))
    reader = QuickDrawFeatureReader(num_classes=3)
    with pytest.raises(QuickdrawError, match=r"record 2: the label must be 0…1\. Received: 2"):
        list(reader.some(reader.open(str(tmp_path / "valid-0"), LABELS), 4))


def test_training_and_validation_go_by_names(tiny_data, turned, tmp_path, capfd):
    both = f"{tiny_data.train},{turned.train}"
    trained = fit(settings_of(both, tmp_path / "run", eval_data_pattern=turned.valid))
    assert trained.labels == LABELS
    assert json.loads((tmp_path / "run/best.json").read_text())["top1"] > 0.9
    told = capfd.readouterr().err
    assert f"warning: the labels of {turned.folder} are another list than those of" in told


def test_validation_records_that_are_trained_on_go_by_names(tiny_data, turned, tmp_path):
    blind = {"eval_data_pattern": turned.valid, "use_valid_as_train": True}
    trained = fit(settings_of(tiny_data.train, tmp_path / "run", **blind))
    assert report(str(tmp_path / "run"), tiny_data.valid)["top1"] > 0.9
    assert trained.labels == LABELS


@pytest.mark.parametrize("where", ["training", "validation"])
def test_other_classes_are_refused_with_both_lists(tiny_data, tmp_path, where):
    other = renamed(tiny_data, tmp_path / "other", ["cat", "dog", "sun"])
    train, valid = tiny_data.train, other.valid
    if where == "training":
        train, valid = f"{train},{other.train}", None
    with pytest.raises(QuickdrawError, match=r"\(cat, hot dog, sun\).*\(cat, dog, sun\)"):
        fit(settings_of(train, tmp_path / "run", eval_data_pattern=valid))
    assert not (tmp_path / "run/run.json").exists()


def test_evaluation_goes_by_names(tiny_data, turned, own_run):
    expected = report(own_run, tiny_data.valid)
    assert expected["labels"] == LABELS
    assert report(own_run, turned.valid)["per_class"] == expected["per_class"]


def test_calibration_goes_by_names(own_run, tmp_path, write_records):
    figures = []
    for names in (LABELS, TURNED):
        folder = tmp_path / names[0]
        folder.mkdir()
        # One of them is wrong: where none is, no temperature can be fitted.
        labels = [names.index(LABELS[label]) for label in (0, 1, 2, 1)]
        write_records(folder / "valid-0", drawings([0, 1, 2, 0], 0), label=labels)
        dataset_info.DatasetInfo(names, SIDE).save(str(folder))
        flags = [f"--train_dir={own_run}", f"--eval_data_pattern={folder}/valid-0"]
        assert calibrate.main(["calibrate", *flags]) == 0
        figures.append(json.loads(Path(own_run, "calibration.json").read_text())["after"])
    assert figures[0] == figures[1]


def test_some_of_the_classes_are_enough_to_evaluate(tmp_path, write_records, own_run):
    write_records(tmp_path / "valid-0", drawings([2, 0, 2, 0], 0), label=[0, 1, 0, 1])
    dataset_info.DatasetInfo(["sun", "cat"], SIDE).save(str(tmp_path))
    found = report(own_run, str(tmp_path / "valid-0"))
    assert {name: of["examples"] for name, of in found["per_class"].items()} == {
        "cat": 2,
        "hot dog": 0,
        "sun": 2,
    }
    assert found["top1"] == 1


def test_more_classes_than_the_run_has_are_refused(tiny_data, own_run, tmp_path, capfd):
    more = renamed(tiny_data, tmp_path / "more", [*LABELS, "dog"])
    flags = [f"--train_dir={own_run}", f"--eval_data_pattern={more.valid}", "--run_once"]
    assert evaluation.main(["eval", *flags]) == 1
    told = capfd.readouterr().err
    assert "expected 3 classes (cat, hot dog, sun)" in told
    assert "Received 4 classes (cat, hot dog, sun, dog)" in told


# Predictions


def predicted(train_dir: str, data: TinyData, output: Path, *more: str) -> dict[str, int]:
    flags = [f"--train_dir={train_dir}", f"--input_data_pattern={data.test}"]
    assert inference.main(["inference", *flags, f"--output_file={output}", *more]) == 0
    with open(output, newline="") as file:
        return dict(list(csv.reader(file))[1:])


def scored(predictions: Path, data: TinyData) -> int:
    files = [f"--predictions={predictions}", f"--solution={data.solution}"]
    return score.main(["score", *files])


def test_predictions_are_numbered_as_the_test_set_is(tiny_data, turned, own_run, tmp_path, capfd):
    mine = predicted(own_run, tiny_data, tmp_path / "mine.csv")
    theirs = predicted(own_run, turned, tmp_path / "theirs.csv")
    assert "predictions are numbered as there" in capfd.readouterr().err
    assert {key: TURNED[int(label)] for key, label in theirs.items()} == {
        key: LABELS[int(label)] for key, label in mine.items()
    }
    expected = "label,name\n0,sun\n1,cat\n2,hot dog\n"
    assert (tmp_path / "theirs.labels.csv").read_text() == expected
    assert (scored(tmp_path / "mine.csv", tiny_data), scored(tmp_path / "theirs.csv", turned)) == (
        0,
        0,
    )
    first, second = capfd.readouterr().out.splitlines()
    assert first == second


def test_score_goes_by_names_and_says_so(tiny_data, turned, own_run, tmp_path, capfd):
    predicted(own_run, tiny_data, tmp_path / "p.csv")
    assert scored(tmp_path / "p.csv", tiny_data) == 0
    expected = capfd.readouterr().out
    assert scored(tmp_path / "p.csv", turned) == 0
    told = capfd.readouterr()
    assert told.out == expected
    assert "in another order than" in told.err and "by the names of the classes" in told.err


def test_names_that_the_solution_lacks_are_told(tiny_data, nameless, own_run, tmp_path, capfd):
    predicted(own_run, tiny_data, tmp_path / "p.csv")
    capfd.readouterr()
    for data, is_told in ((tiny_data, False), (nameless, True)):
        assert scored(tmp_path / "p.csv", data) == 0
        assert ("they are compared by number" in capfd.readouterr().err) == is_told
    (tmp_path / "p.labels.csv").unlink()
    assert scored(tmp_path / "p.csv", nameless) == 0
    assert "by number" not in capfd.readouterr().err


def test_score_refuses_other_classes(tiny_data, own_run, tmp_path, capfd):
    predicted(own_run, tiny_data, tmp_path / "p.csv")
    other = renamed(tiny_data, tmp_path / "other", ["cat", "dog", "sun"])
    assert scored(tmp_path / "p.csv", other) == 1
    told = capfd.readouterr().err
    assert "p.labels.csv has other labels than" in told
    assert "(cat, dog, sun)" in told and "(cat, hot dog, sun)" in told


def test_test_records_of_other_classes_are_refused_unless_words_are_wanted(
    tiny_data, own_run, tmp_path, capfd
):
    other = renamed(tiny_data, tmp_path / "other", ["cat", "dog", "sun"])
    flags = [f"--train_dir={own_run}", f"--input_data_pattern={other.test}"]
    output = tmp_path / "p.csv"
    assert inference.main(["inference", *flags, f"--output_file={output}"]) == 1
    assert "(cat, dog, sun)" in capfd.readouterr().err
    assert not output.exists()
    words = predicted(own_run, other, output, "--top_k=3")
    assert set(next(iter(words.values())).split()) == {"cat", "hot_dog", "sun"}


def test_names_of_other_predictions_do_not_stay(tiny_data, own_run, tmp_path):
    output = tmp_path / "p.csv"
    predicted(own_run, tiny_data, output)
    assert (tmp_path / "p.labels.csv").exists()
    predicted(own_run, tiny_data, output, "--top_k=2")
    assert not (tmp_path / "p.labels.csv").exists()


def test_runs_of_two_orders_predict_as_one(tiny_data, turned, own_run, tmp_path):
    fit(settings_of(turned.train, tmp_path / "second"))
    runs_of_both = f"{own_run},{tmp_path}/second"
    answers = predicted(runs_of_both, tiny_data, tmp_path / "p.csv")
    right = [int(label) == tiny_data.answers[key] for key, label in answers.items()]
    assert np.mean(right) > 0.9


def test_a_teacher_of_another_order_teaches_by_name(turned, own_run, tmp_path):
    """The labels count nothing: what is learnt comes from the teacher."""
    chosen = {"label_loss": "DistillationLoss", "loss_params": "share=1.0", "teacher_dir": own_run}
    fit(settings_of(turned.train, tmp_path / "run", **chosen))
    assert report(str(tmp_path / "run"), turned.valid)["top1"] > 0.9


def test_labels_that_somebody_has_sorted_are_told(turned, tmp_path, own_run, capfd):
    counts = {"train": {"records": 3, "per_class": dict.fromkeys(TURNED, 1), "shards": []}}
    for names, is_told in ((TURNED, False), (sorted(TURNED), True)):
        folder = tmp_path / names[0]
        own = renamed(turned, folder, None)
        dataset_info.DatasetInfo(names, SIDE, splits=counts).save(str(folder))
        report(own_run, own.valid)
        told = "'labels' are in another order than the counts of 'splits'"
        assert (told in capfd.readouterr().err) == is_told


# Names for records without a dataset.json


@pytest.fixture
def nameless(tiny_data, tmp_path) -> TinyData:
    return renamed(tiny_data, tmp_path / "nameless", None)


def test_a_file_of_names_is_kept_with_the_run(tiny_data, turned, nameless, tmp_path):
    (tmp_path / "names.txt").write_text("cat\nhot dog\nsun\n")
    trained = fit(settings_of(nameless.train, tmp_path / "run", labels=str(tmp_path / "names.txt")))
    assert (trained.labels, runs.read(str(tmp_path / "run")).named) == (LABELS, True)
    assert report(str(tmp_path / "run"), turned.valid)["top1"] > 0.9


def test_records_without_names_beside_a_run_with_names_are_warned_of(nameless, own_run, capfd):
    assert report(own_run, nameless.valid)["top1"] > 0.9
    assert "warning: no names of classes beside" in capfd.readouterr().err


def test_a_file_of_names_decides_the_order(turned, tmp_path):
    (tmp_path / "names.txt").write_text("cat\nhot dog\nsun\n")
    run = tmp_path / "run"
    trained = fit(settings_of(turned.train, run, labels=str(tmp_path / "names.txt")))
    assert trained.labels == LABELS
    assert report(str(run), turned.valid)["top1"] > 0.9


@pytest.mark.parametrize("names", ["cat\ndog\nsun\n", "cat\nsun\n"])
def test_a_file_of_other_names_is_refused(tiny_data, tmp_path, names):
    (tmp_path / "names.txt").write_text(names)
    with pytest.raises(QuickdrawError, match=r"other labels than --labels=.*names\.txt: expected"):
        fit(settings_of(tiny_data.train, tmp_path / "run", labels=str(tmp_path / "names.txt")))


def test_numbers_that_meet_names_are_told(tiny_data, nameless, tmp_path, capfd):
    trained = fit(settings_of(nameless.train, tmp_path / "run", eval_data_pattern=nameless.valid))
    assert (trained.labels, trained.run.named) == (["0", "1", "2"], False)
    assert "by number" not in capfd.readouterr().err
    assert report(str(tmp_path / "run"), tiny_data.valid)["top1"] > 0.9
    assert "by number. They are 3 classes (cat, hot dog, sun)" in capfd.readouterr().err
    predicted(str(tmp_path / "run"), tiny_data, tmp_path / "p.csv")
    assert not (tmp_path / "p.labels.csv").exists()


def test_a_run_without_names_refuses_more_classes_than_it_has(tiny_data, nameless, tmp_path, capfd):
    fit(settings_of(nameless.train, tmp_path / "run", max_steps=2))
    more = renamed(tiny_data, tmp_path / "more", [*LABELS, "dog"])
    flags = [f"--train_dir={tmp_path}/run", f"--eval_data_pattern={more.valid}", "--run_once"]
    assert evaluation.main(["eval", *flags]) == 1
    told = capfd.readouterr().err
    assert "knows the labels 0…2, by number only" in told and "sun, dog" in told
