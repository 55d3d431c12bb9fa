"""Reading while TensorFlow is imported: the training finds its drawings in the cache."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from quickdraw.readers import QuickDrawFeatureReader
from quickdraw.training.data import cache, read_ahead
from quickdraw.training.settings import Settings


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch) -> Path:
    """A cache of its own for each test, on a machine with a core to spare."""
    monkeypatch.setattr("os.cpu_count", lambda: 2)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "quickdraw"


@pytest.fixture
def settings(tmp_path, tiny_data) -> Settings:
    """A training on the tiny records, to be changed at will."""
    data = shutil.copytree(tiny_data.folder, tmp_path / "data")
    return Settings(train_data_pattern=f"{data}/train-*", eval_data_pattern=f"{data}/valid-*")


def sets(home: Path) -> int:
    return len(list(home.iterdir())) if home.exists() else 0


@pytest.mark.parametrize("blind", [False, True])
def test_what_a_training_reads_need_not_be_decoded_again(settings, home, monkeypatch, blind):
    settings.use_valid_as_train = blind
    with read_ahead.reading_ahead(settings):
        pass
    assert sets(home) == 2
    monkeypatch.setattr(cache, "decode", None)
    reader = QuickDrawFeatureReader()
    for patterns in (settings.patterns_to_fit, settings.eval_data_pattern):
        assert len(cache.load(reader, reader.open(patterns), "reading", 1000.0)) > 0


def test_a_bad_record_is_left_to_the_training(settings, home, capfd):
    with open(settings.train_data_pattern.replace("-*", "-1.tfrecord"), "ab") as file:
        file.write(b"rubbish")
    with read_ahead.reading_ahead(settings):
        pass
    assert sets(home) == 1
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("reason", ["ink", "no dataset.json", "no records", "gs", "one core"])
def test_nothing_is_read_where_it_does_not_help(settings, home, monkeypatch, reason):
    folder = Path(settings.train_data_pattern).parent
    if reason == "ink":
        content = json.loads((folder / "dataset.json").read_text())
        content["settings"]["keep_strokes"] = True
        (folder / "dataset.json").write_text(json.dumps(content))
    elif reason == "no dataset.json":
        (folder / "dataset.json").unlink()
    elif reason == "no records":
        shutil.rmtree(folder)
    elif reason == "gs":
        settings.train_data_pattern = settings.eval_data_pattern = "gs://bucket/train-*"
    else:
        monkeypatch.setattr("os.cpu_count", lambda: 1)
    with read_ahead.reading_ahead(settings):
        pass
    assert sets(home) == 0
