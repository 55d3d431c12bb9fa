"""`--valid_share`: validation drawings from among the training records, the same everywhere."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from reading import noise

from quickdraw import average, calibrate, runs, train
from quickdraw import eval as evaluation
from quickdraw.errors import QuickdrawError
from quickdraw.readers import BaseReader, QuickDrawFeatureReader, StrokeReader
from quickdraw.records import example, png
from quickdraw.records.shards import Holdout
from quickdraw.training import Settings, fit
from quickdraw.training.data import cache, decode, read_ahead
from quickdraw.training.setup import prepare

SHARE = 0.3


def drawings(
    patterns: str, held_out: bool, reader: BaseReader | None = None, share: float = SHARE
) -> list[bytes]:
    """Every drawing of a part, label included, as bytes."""
    reader = reader or QuickDrawFeatureReader()
    loaded = cache.load(reader, reader.open(patterns).divided(share, held_out), "reading", 1000)
    rows = zip(next(iter(loaded.inputs.values())), loaded.labels, strict=True)
    return [image.tobytes() + label.tobytes() for image, label in rows]


@pytest.fixture(scope="module")
def one_file(tmp_path_factory, write_records) -> str:
    """200 drawings in one file."""
    path = tmp_path_factory.mktemp("one") / "train-0"
    return write_records(path, noise(200), label=np.arange(200) % 3)


def test_the_parts_are_the_whole(one_file):
    held_out, rest = drawings(one_file, True), drawings(one_file, False)
    assert not set(held_out) & set(rest)
    assert sorted(held_out + rest) == sorted(drawings(one_file, False, share=0.0))
    assert 0.2 < len(held_out) / 200 < 0.4


@given(st.binary(), st.floats(0.01, 0.9))
def test_whatever_a_record_holds_it_is_in_one_part(data, share):
    assert Holdout(share, True).holds(data) != Holdout(share, False).holds(data)


def test_the_order_of_records_and_the_files_do_not_matter(one_file, tmp_path, write_records):
    order = np.random.default_rng(0).permutation(200)
    for number, rows in enumerate(np.split(order, [70, 90])):
        write_records(tmp_path / f"train-{number}", noise(200)[rows], label=rows % 3)
    for held_out in (True, False):
        assert sorted(drawings(f"{tmp_path}/train-*", held_out)) == (
            sorted(drawings(one_file, held_out))
        )


def test_what_stands_beside_a_drawing_does_not_matter():
    image = png.encode(noise(1)[0])
    plain = example.serialise(image=image, label=1)
    assert example.shown(plain) == example.shown(example.serialise(image=image, key_id=7, label=2))
    assert example.shown(plain) != example.shown(example.serialise(image=png.encode(noise(2)[1])))


def test_a_model_of_ink_has_the_drawings_of_one_of_images(tmp_path, write_records):
    ink = [[number / 100, 1.0, 0.0, 0.2, 0.3, 1.0] for number in range(60)]
    more = {"label": np.arange(60) % 3, "ink": ink, "shape": [[2, 3]] * 60}
    path = write_records(tmp_path / "train-0", noise(60), **more)
    both, of_ink = StrokeReader(), QuickDrawFeatureReader(inputs=("ink",))
    images = drawings(path, True)
    shards = both.open(path).divided(SHARE, True)
    pairs = [
        (image.tobytes() + np.int32(label).tobytes(), ink.tobytes() + np.int32(label).tobytes())
        for arrays, labels in both.some(shards, 100)
        for image, ink, label in zip(arrays["image"], arrays["ink"], labels, strict=True)
    ]
    assert [image for image, _ in pairs] == images
    assert [ink for _, ink in pairs] == drawings(path, True, of_ink)


def test_processes_decode_the_same(one_file, tmp_path, monkeypatch, write_records):
    for number in range(2):
        rows = slice(100 * number, 100 * number + 100)
        write_records(
            tmp_path / f"train-{number}", noise(200)[rows], label=np.arange(200)[rows] % 3
        )
    expected = drawings(f"{tmp_path}/train-*", True)
    monkeypatch.setattr(decode, "is_small", lambda files: False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert drawings(f"{tmp_path}/train-*", True) == expected


def settings(tiny_data, train_dir, **changes) -> Settings:
    values = {"train_data_pattern": tiny_data.train, "train_dir": str(train_dir)}
    how = {
        "batch_size": 20,
        "num_epochs": 1.0,
        "eval_every": 2,
        "base_learning_rate": 1e-3,
        "valid_share": SHARE,
    }
    return Settings(**{**values, **how, **changes})


@pytest.fixture(scope="module")
def divided(tiny_data, tmp_path_factory) -> str:
    """A run on a part of its records. Only read it."""
    train_dir = str(tmp_path_factory.mktemp("divided") / "run")
    fit(settings(tiny_data, train_dir))
    return train_dir


def test_it_is_kept_with_the_run_for_every_command(divided, tiny_data, tmp_path, capsys):
    run = str(shutil.copytree(divided, tmp_path / "run"))
    held_out = len(drawings(tiny_data.train, True))
    trained_on = 120 - held_out
    assert runs.read(run).finished_step == round(trained_on / 20)
    assert evaluation.main(["eval", f"--train_dir={run}", "--run_once"]) == 0
    content, best = (json.loads(Path(run, f"{name}.json").read_text()) for name in ("eval", "best"))
    assert content["examples"] == held_out
    assert (content["top1"], content["loss"]) == pytest.approx(
        (best["top1"], best["loss"]), abs=1e-6
    )
    assert (content["valid_share"], content["eval_data_pattern"]) == (SHARE, tiny_data.train)
    assert calibrate.main(["calibrate", f"--train_dir={run}"]) == 0
    assert json.loads(Path(run, "calibration.json").read_text())["examples"] == held_out
    mean = f"{tmp_path}/mean"
    assert average.main(["average", f"--train_dir={run}", f"--output_dir={mean}"]) == 0
    assert "top1" in json.loads(Path(mean, "best.json").read_text())


def test_streamed_and_in_memory_it_is_the_same(divided, tiny_data, tmp_path):
    fit(settings(tiny_data, tmp_path / "run", memory_budget=0.02))
    for mine, theirs in zip(
        runs.load(str(tmp_path / "run"), "latest").model.get_weights(),
        runs.load(divided, "latest").model.get_weights(),
        strict=True,
    ):
        np.testing.assert_array_equal(mine, theirs)
    assert runs.read(str(tmp_path / "run")).data_fingerprint == runs.read(divided).data_fingerprint


def test_another_share_is_another_run(divided, tiny_data):
    with pytest.raises(QuickdrawError, match=r"other settings: valid_share 0.3 → 0.2. Either"):
        fit(settings(tiny_data, divided, valid_share=0.2))


def test_both_parts_are_read_ahead(tiny_data, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    chosen = settings(tiny_data, tmp_path / "run")
    with read_ahead.reading_ahead(chosen):
        pass
    monkeypatch.setattr(decode, "decode", None)
    monkeypatch.setattr(cache, "decode", None)
    from quickdraw import devices

    made = prepare(chosen, devices.create("none"), cache.load)
    assert len(made.train) + len(made.validation) == 120


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        (["--valid_share=1"], "--valid_share must be above 0 and at most 0.9. Received: 1"),
        (["--valid_share=0.1", "--eval_data_pattern=x"], "either --eval_data_pattern or --valid_s"),
        (["--valid_share=0.1", "--use_valid_as_train"], "--use_valid_as_train: --eval_data_patt"),
        (["--valid_share=1e-9"], "no usable record of those that --valid_share=1e-09 holds out in"),
    ],
)
def test_what_cannot_be(tiny_data, tmp_path, capsys, flags, told):
    given = [f"--train_data_pattern={tiny_data.train}", f"--train_dir={tmp_path}/run", *flags]
    assert train.main(["train", *given]) in (1, 2)
    assert told in capsys.readouterr().err
    assert not (tmp_path / "run/run.json").exists()


def test_early_stopping_and_a_dry_run_go_by_it(tiny_data, tmp_path, capsys):
    given = [f"--train_data_pattern={tiny_data.train}", f"--train_dir={tmp_path}/run"]
    assert (
        train.main(["train", *given, "--valid_share=0.3", "--early_stopping=1", "--dry_run"]) == 0
    )
    held_out = len(drawings(tiny_data.train, True))
    assert f"drawings: {120 - held_out} (" in capsys.readouterr().err
