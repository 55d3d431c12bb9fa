"""One pass over the records: what it keeps, and what it finds again."""

import shutil
import tracemalloc

import numpy as np
import pytest
from PIL import Image

from quickdraw.errors import QuickdrawError
from quickdraw.records import dataset_info
from quickdraw.report.answers import AnswersCollector, _EvenSample, first_guesses
from quickdraw.report.evaluated import evaluate, evaluated
from quickdraw.runs import load


def test_first_guesses_are_those_of_a_whole_sort():
    rng = np.random.default_rng(0)
    for classes in (2, 3, 5, 40, 345):
        scores = rng.integers(0, 30, (200, classes)).astype(np.float32)
        if classes > 16:  # ties beyond what is kept may be cut anywhere
            scores += rng.random((200, classes), np.float32) / 2
        expected = np.argsort(-scores, axis=1, kind="stable")[:, :3]
        assert first_guesses(scores).tolist() == expected.tolist()


def test_the_sample_is_even_and_small():
    sample = _EvenSample(100)
    for start in range(0, 1000, 7):
        sample.add(np.arange(start, start + 7, dtype=np.float32)[:, None])
    places, rows = sample.kept()
    assert len(places) <= 100 and len(places) > 50
    assert (np.diff(places) == places[1]).all() and rows[:, 0].tolist() == places.tolist()


def test_answers_take_no_more_than_they_say(monkeypatch):
    monkeypatch.setattr("quickdraw.report.answers._KEPT_LOGITS", 1000)
    monkeypatch.setattr("quickdraw.report.answers._KEPT_FEATURES", 1000)
    rng = np.random.default_rng(0)
    logits, labels = rng.normal(size=(128, 10)).astype(np.float32), rng.integers(0, 10, 128)

    def peak(batches):
        tracemalloc.start()
        collector = AnswersCollector(10, 1.0)
        for _ in range(batches):
            collector.add(logits, labels, logits[:, 0], logits)
        answers = collector.answers()
        taken = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert len(answers.ranks) == 128 * batches
        assert (answers.own.reshape(batches, 128) == answers.own[:128]).all()
        return taken

    assert (peak(450) - peak(50)) / (128 * 400) < 60  # put together from parts, 75


def test_drawings_are_found_again(seen, tiny_data):
    from quickdraw.readers import QuickDrawFeatureReader

    images, labels = next(QuickDrawFeatureReader().batches(tiny_data.valid, 60))
    assert seen.truth.tolist() == labels.tolist()
    wanted = [59, 3, 3, 17]
    shown = seen.shown(wanted)
    for at, each in zip(wanted, shown, strict=True):
        assert (each.image == images[at, :, :, 0]).all()
        assert each.place == f"valid-0.tfrecord, record {at}"
    assert (seen.inputs(wanted)["image"] == images[wanted]).all()


@pytest.mark.parametrize("at_once", [1, 2, 1024])
def test_what_stands_beside_a_drawing_is_noted(
    at_once, tmp_path, monkeypatch, write_records, tiny_run, tiny_data
):
    monkeypatch.setattr("quickdraw.report.beside._AS_TUPLES", at_once)
    images = np.zeros((3, 12, 12), np.uint8)
    images[1, 3:6, 2:8] = 255
    ink = [[0.5, 0.0, 0.0, 0.5, 1.0, 1.0], [1.0, 0.0, 0.0], [1.0, 0.0, 1.0, 0.0, 0.5, 1.0]]
    path = write_records(
        tmp_path / "x.tfrecord",
        images,
        label=[0, 1, 2],
        countrycode=[b"KR", b"DK", b"KR"],
        recognized=[1, 0, 1],
        ink=ink,
        shape=[[2, 3], [1, 3], [2, 3]],
        times=[[0, 40, 90], [0], [0, 1]],
    )
    dataset_info.DatasetInfo(tiny_data.labels, 12).save(str(tmp_path))
    beside = evaluate(tiny_run, path).beside
    assert beside.countries.tolist() == ["KR", "DK", "KR"]
    assert beside.recognised.tolist() == [1, 0, 1]
    assert beside.timed.tolist() == [True, False, False]
    assert beside.points.tolist() == [3, 2, 3]
    assert beside.strokes.tolist() == [1, 1, 2]
    assert beside.ink.tolist() == pytest.approx([0, 18 / 144, 0])
    assert beside.size.tolist() == pytest.approx([0, 18 / 144, 0])


def test_a_bad_record_is_passed_over_and_the_others_keep_their_places(
    tmp_path, write_records, tiny_run, tiny_data
):
    images = np.random.default_rng(0).integers(0, 256, (4, 12, 12), np.uint8)
    data = [images[0], b"no png", images[2], images[3]]
    path = write_records(tmp_path / "x.tfrecord", data, label=[0, 1, 9, 2])
    dataset_info.DatasetInfo(tiny_data.labels, 12).save(str(tmp_path))
    with pytest.raises(QuickdrawError, match="record 1"):
        evaluate(tiny_run, path)
    found = evaluate(tiny_run, path, "skip")
    assert found.truth.tolist() == [0, 2]
    assert (found.shown([1])[0].image == images[3]).all()
    assert (found.inputs([1, 0])["image"][0, :, :, 0] == images[3]).all()


def test_the_same_model_and_records_are_evaluated_once(tiny_run, tiny_data):
    trained = load(tiny_run)
    first = evaluated(trained, tiny_data.valid)
    assert evaluated(trained, tiny_data.valid) is first is evaluated(first)
    assert evaluated(trained) is not first


def test_labels_in_another_order_are_taken_by_name(tmp_path, tiny_run, tiny_data, seen):
    folder = shutil.copytree(tiny_data.folder, tmp_path / "data")
    info = dataset_info.load(str(folder))
    info.labels = info.labels[::-1]
    info.save(str(folder))
    found = evaluate(tiny_run, f"{folder}/valid-*")
    assert found.labels == seen.labels
    assert found.truth.tolist() == [2 - label for label in seen.truth]


def test_one_of_several_runs_can_be_looked_at_alone(tmp_path, tiny_run, cnn_run, tiny_data, seen):
    for which, run in enumerate([cnn_run, tiny_run]):
        one, expected = seen.alone(which), evaluate(run, tiny_data.valid)
        assert one.names == expected.names and one.labels == seen.labels
        assert (one.answers[0].ranks == expected.answers[0].ranks).all()
        images = one.inputs([5])["image"]
        assert next(one.ensemble.logits({"image": images})) == pytest.approx(
            expected.trained.logits(images), abs=1e-5
        )


def test_records_of_other_classes_are_refused(tmp_path, tiny_run, tiny_data):
    folder = shutil.copytree(tiny_data.folder, tmp_path / "data")
    info = dataset_info.load(str(folder))
    info.labels = ["cat", "hot dog", "moon"]
    info.save(str(folder))
    with pytest.raises(QuickdrawError, match="moon"):
        evaluate(tiny_run, f"{folder}/valid-*")


def test_large_pictures_are_shown_small(tmp_path, tiny_run, tiny_data):
    from quickdraw.report.shown import _decoded

    picture = tmp_path / "x.png"
    Image.new("RGB", (200, 100), (0, 9, 200)).save(picture)
    assert _decoded(picture.read_bytes()).shape == (32, 64)
