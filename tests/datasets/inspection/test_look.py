"""What one look at records finds: counts, statistics and findings."""

import re

import numpy as np
import pytest
from inspecting import TRAIN, doodle, record, write

from quickdraw.datasets.inspection.contents import UNLABELLED
from quickdraw.datasets.inspection.look import look
from quickdraw.datasets.inspection.page import page
from quickdraw.datasets.inspection.stats import lookalikes
from quickdraw.errors import QuickdrawError
from quickdraw.records.dataset_info import DatasetInfo


def test_other_sizes_and_colours_are_counted_and_shown(tmp_path):
    colour = np.zeros((50, 50, 3), np.uint8)
    colour[10:40, 10:40, 2] = 255
    write(
        tmp_path,
        "train-0.tfrecords",
        record(doodle(0), label=0),
        record(colour, label=1),
        record(np.full((3, 40), 255, np.uint8), label=1),
        record(np.zeros((1, 2000), np.uint8), label=1),
    )
    overview = look(str(tmp_path))
    assert overview.contents.sizes == {(28, 28, 1): 1, (50, 50, 3): 1, (3, 40, 1): 1}
    assert "at most 1024 pixels a side" in str(overview.contents.first_bad[0])
    assert overview.classes[1].ink[36] == 1 and overview.classes[1].ink[99] == 1
    warnings = [finding.text for finding in overview.findings if finding.level == "warning"]
    assert "Images of 3 sizes" in warnings[1]
    assert "50 x 50" in page(overview)


def test_statistics_of_a_class(tmp_path):
    box = np.zeros((28, 28), np.uint8)
    box[4:24, 7:21] = 255
    faint = np.where(box, 31, 0).astype(np.uint8)
    write(tmp_path, "train-0.tfrecords", record(box, label=0), record(faint, label=0))
    overview = look(str(tmp_path))
    stats = overview.classes[0]
    assert stats.ink[int(100 * 280 / 784)] == 1
    assert stats.widths[14 * 14 // 28 - 1] == 1 and stats.heights[20 * 14 // 28 - 1] == 1
    assert overview.stats.empty == 1  # what is fainter than 32 is no ink
    np.testing.assert_allclose(stats.mean, (box.astype(float) + faint) / 2)


def test_scribbles_are_measured_against_their_class(tmp_path):
    rng = np.random.default_rng(0)
    heavy = [(rng.random((28, 28)) < 0.5) * np.uint8(255) for _ in range(50)]
    light = [doodle(seed) for seed in range(50)]
    data = [record(image, label=0) for image in heavy]
    data += [record(image, label=1) for image in [*light, heavy[0] ^ 255]]
    write(tmp_path, "train-0.tfrecords", *data)
    (found,) = [kind for kind in look(str(tmp_path)).suspicious() if kind.count]
    assert found.title == "Scribbles"
    assert [thumbnail.number for thumbnail in found.first] == [100]


def test_dark_strokes_on_light_paper_are_noticed(tmp_path):
    data = [record(255 - doodle(seed), label=0) for seed in range(20)]
    write(tmp_path, "train-0.tfrecords", *data)
    (text,) = [f.text for f in look(str(tmp_path)).findings if f.level == "warning"]
    assert "dark strokes on light?" in text


def test_classes_that_look_alike(tmp_path):
    one, other = doodle(1), doodle(2)
    data = [record(one, label=0), record(other, label=1), record(one // 2, label=2)]
    write(tmp_path, "train-0.tfrecords", *data)
    overview = look(str(tmp_path))
    labels, alike = lookalikes(overview.stats)
    assert labels == [0, 1, 2]
    assert alike[0, 2] > 0.99 > abs(alike[0, 1])
    shown = [float(n) for n in re.findall("correlation ([-.0-9]+)", page(overview))]
    assert shown == sorted(shown, reverse=True) and len(shown) == 3


def test_dataset_json_is_compared_with_what_is_there(shards):
    splits = {
        "train": {"records": 7, "per_class": {}, "shards": [TRAIN]},
        "test": {"records": 7, "per_class": {}, "shards": ["test-of-elsewhere"]},
    }
    DatasetInfo(["cat", "dog", "owl"], splits=splits).save(str(shards))
    texts = [f.text for f in look(str(shards)).findings if f.level == "warning"]
    assert "dataset.json says that train has 7 drawings; there are 105." in texts
    assert "1 class without a labelled drawing: owl" in texts
    assert not any("says that test" in text for text in texts)


def test_folders_in_another_order_are_counted_by_name(tmp_path):
    for folder, names in (("a", ["cat", "dog"]), ("b", ["dog", "cat"])):
        (tmp_path / folder).mkdir()
        cat = names.index("cat")
        records = [record(doodle(seed), label=cat) for seed in range(30 + 10 * (folder == "b"))]
        unlabelled = record(doodle(99), image_id=b"x")
        write(tmp_path / folder, TRAIN, *records, record(doodle(50), label=1 - cat), unlabelled)
        DatasetInfo(names).save(str(tmp_path / folder))
    overview = look(f"{tmp_path}/*/*.tfrecords")
    assert {overview.name(label): of.count for label, of in overview.classes.items()} == {
        "cat": 70,
        "dog": 2,
        overview.name(UNLABELLED): 2,
    }
    assert "in another order; names decide" in " ".join(each.text for each in overview.findings)


def test_a_test_set_without_names_hides_no_labels(tmp_path):
    for folder, features in (("a", {"image_id": b"x"}), ("b", {"label": 1})):
        (tmp_path / folder).mkdir()
        write(tmp_path / folder, TRAIN, record(doodle(1), **features))
    empty = {"test": {"records": 1, "per_class": {}, "shards": []}}
    DatasetInfo([], splits=empty).save(str(tmp_path / "a"))
    DatasetInfo(["cat", "dog"]).save(str(tmp_path / "b"))
    overview = look(f"{tmp_path}/*/*.tfrecords")
    assert overview.contents.bad.count == 0
    assert {overview.name(label) for label in overview.classes} >= {"dog"}
    assert "differently" not in " ".join(each.text for each in overview.findings)


def test_no_record_at_all_is_an_error(tmp_path):
    write(tmp_path, "train-0.tfrecords", b"x")
    with pytest.raises(QuickdrawError, match="no usable record"):
        look(str(tmp_path))
