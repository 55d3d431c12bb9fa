"""A user's mistakes: one line that names the fault, a non-zero exit code, no traceback."""

from __future__ import annotations

import gzip
import os
import shutil
import subprocess
import sys

import numpy as np
import pytest

from quickdraw import inference, train
from quickdraw.errors import QuickdrawError
from quickdraw.records import png as png_module
from quickdraw.records.example import serialise
from quickdraw.records.tfrecord import frame
from quickdraw.training.settings import Settings


def fails(main, capfd, *flags: str) -> str:
    """The one line that a command prints when it fails."""
    assert main(["command", *flags]) != 0
    lines = [line for line in capfd.readouterr().err.splitlines() if line.startswith("command: ")]
    assert len(lines) == 1
    return lines[0].removeprefix("command: ")


def good_png(side: int = 12) -> bytes:
    return png_module.encode(np.zeros((side, side), np.uint8))


def header_of(width: int, height: int, depth: int = 8, colour: int = 0) -> bytes:
    """A PNG that says it is of this kind; no more is read of one that is refused."""
    png = bytearray(good_png())
    png[16:26] = width.to_bytes(4) + height.to_bytes(4) + bytes([depth, colour])
    return bytes(png)


GOOD = frame(serialise(image=good_png(), label=1))
BAD_SHARDS = {
    "an empty file": (b"", "no usable record in 1 file(s)"),
    "gzip of nothing": (gzip.compress(b""), "no usable record in 1 file(s)"),
    "no TFRecord": (b"word,label\ncat,1\n" * 20, "record 0: corrupted length"),
    "truncated": (GOOD + GOOD[:-9], "record 1: truncated"),
    "corrupted": (GOOD + GOOD[:40] + b"\xff\xff" + GOOD[42:], "record 1: corrupted data"),
    "no example": (GOOD + frame(b"\xff\xff\xff"), "record 1: not a tf.train.Example"),
    "no PNG": (frame(serialise(image=b"GIF89a", label=0)), "record 0: not a PNG image"),
    "another size": (
        GOOD + frame(serialise(image=good_png(9), label=0)),
        "record 1: expected a PNG of 12x12 greyscale. Received: 9x9 greyscale",
    ),
    "RGB": (
        GOOD + frame(serialise(image=header_of(12, 12, colour=2), label=0)),
        "record 1: expected a PNG of 12x12 greyscale. Received: 12x12 RGB",
    ),
    "16 bit": (frame(serialise(image=header_of(12, 12, depth=16), label=0)), "16-bit greyscale"),
    "a bomb": (
        frame(serialise(image=header_of(30_000, 30_000), label=0)),
        "record 0: images of at most 1024 pixels a side expected. Received: 30000x30000",
    ),
    "a bomb behind a good one": (
        GOOD + frame(serialise(image=header_of(30_000, 30_000), label=0)),
        "record 1: expected a PNG of 12x12 greyscale. Received: 30000x30000 greyscale",
    ),
    "a negative label": (frame(serialise(image=good_png(), label=-1)), "record 0: the label must"),
    "no label": (frame(serialise(image=good_png())), "record 0: no feature 'label'"),
    "test data": (frame(serialise(image=good_png(), image_id=b"a")), "This looks like test data"),
    "another type": (frame(serialise(image=good_png(), label=b"cat")), "'label' must be one int64"),
}


@pytest.mark.parametrize("fault", BAD_SHARDS)
def test_bad_shards_are_named_with_file_and_record(tmp_path, capfd, fault):
    shard, message = BAD_SHARDS[fault]
    path = tmp_path / "train-0.tfrecord"
    path.write_bytes(shard)
    flags = [f"--train_data_pattern={path}", f"--train_dir={tmp_path}/run"]
    error = fails(train.main, capfd, *flags)
    assert message in error
    assert str(path) in error


def test_a_label_that_dataset_json_does_not_know(tiny_data, tmp_path, capfd):
    folder = tmp_path / "data"
    shutil.copytree(tiny_data.folder, folder)
    with open(folder / "train-1.tfrecord", "ab") as file:
        file.write(frame(serialise(image=good_png(), label=3)))
    flags = [f"--train_data_pattern={folder}/train-*", f"--train_dir={tmp_path}/run"]
    error = fails(train.main, capfd, *flags)
    assert "train-1.tfrecord, record 60: the label must be 0…2. Received: 3" in error


def test_bad_records_can_be_skipped(tiny_data, tmp_path, capfd):
    folder = tmp_path / "data"
    shutil.copytree(tiny_data.folder, folder)
    (folder / "train-2.tfrecord").write_bytes(BAD_SHARDS["truncated"][0])
    (folder / "train-3.tfrecord").write_bytes(b"")
    flags = [
        f"--train_data_pattern={folder}/train-*",
        f"--train_dir={tmp_path}/run",
        "--on_bad_record=skip",
        "--max_steps=2",
    ]
    assert train.main(["train", *flags]) == 0
    printed = capfd.readouterr().err
    assert "121 training drawings" in printed
    assert "2 bad records were skipped" in printed
    assert "train-2.tfrecord, record 1: truncated" in printed


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--train_data_pattern=nothing/train-*"], "there is no folder nothing"),
        (["--model=CnModel", "--train_data_pattern=nothing"], "Did you mean 'CnnModel'?"),
        (["--label_loss=CrossLoss", "--train_data_pattern=nothing"], "'CrossEntropyLoss'?"),
        (["--model=no.Such", "--train_data_pattern=nothing"], "no module named 'no'"),
        (["--model_params=unit=3", "--train_data_pattern=nothing"], "has no parameter 'unit'"),
        (["--batch_size=0"], "--batch_size must be at least 1. Received: 0"),
        (["--base_learning_rate=nan"], "--base_learning_rate must be above 0. Received: nan"),
        (["--bach_size=3"], "Did you mean --batch_size?"),
        (["--batch_size=many"], "flag --batch_size=many"),
    ],
)
def test_bad_flags(capfd, flags, message):
    assert message in fails(train.main, capfd, *flags)


def test_a_train_dir_of_another_model(tiny_data, tiny_run, capfd):
    flags = [f"--train_data_pattern={tiny_data.train}", f"--train_dir={tiny_run}"]
    error = fails(train.main, capfd, *flags, "--model=CnnModel")
    assert "model 'LogisticModel' → 'CnnModel'" in error
    assert all(way in error for way in ("same settings", "another --train_dir", "--start_new"))


def test_a_folder_that_is_no_run_is_left_alone(tiny_data, tmp_path, capfd):
    (tmp_path / "thesis.txt").write_text("all my work")
    flags = [f"--train_data_pattern={tiny_data.train}", f"--train_dir={tmp_path}"]
    error = fails(train.main, capfd, *flags, "--start_new_model")
    assert "no run of quickdraw" in error
    assert (tmp_path / "thesis.txt").read_text() == "all my work"


def test_a_train_dir_that_cannot_be_made(tiny_data, tmp_path, capfd):
    (tmp_path / "file").write_text("")
    flags = [f"--train_data_pattern={tiny_data.train}", f"--train_dir={tmp_path}/file/run"]
    assert "the folder cannot be made" in fails(train.main, capfd, *flags)


def test_a_full_disk_leaves_no_half_predictions(tiny_data, tiny_run, tmp_path, capfd):
    output = tmp_path / "out.csv"
    os.symlink("/dev/full", f"{output}.tmp")
    flags = [f"--train_dir={tiny_run}", f"--input_data_pattern={tiny_data.test}"]
    error = fails(inference.main, capfd, *flags, f"--output_file={output}")
    assert "No space left on device" in error
    assert not output.exists()


def test_predictions_do_not_replace_the_answers(tiny_data, tiny_run, tmp_path, capfd):
    (tmp_path / "solution.csv").write_text("image_id,label\n")
    flags = [f"--train_dir={tiny_run}", f"--input_data_pattern={tiny_data.test}"]
    error = fails(inference.main, capfd, *flags, f"--output_file={tmp_path}/solution.csv")
    assert "solution.csv holds records, or the answers to them, and is not replaced" in error
    assert (tmp_path / "solution.csv").read_text() == "image_id,label\n"


@pytest.mark.slow
@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small disk needs root")
def test_a_disk_that_fills_up_during_training(tiny_data, tmp_path):
    """The run starts on a disk that has no room for the second checkpoint."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", disk]
    if subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("this machine does not let a test mount a disk")
    try:
        flags = [
            f"--train_data_pattern={tiny_data.train}",
            f"--train_dir={disk}/run",
            "--model=MlpModel",
            "--model_params=units=(512, 256)",
            "--checkpoint_every_steps=1",
        ]
        result = subprocess.run(
            [sys.executable, "-m", "quickdraw.train", *flags], capture_output=True, text=True
        )
    finally:
        subprocess.run(["umount", disk], check=True)
    assert result.returncode == 1
    assert "No space left on device" in result.stderr
    assert "Traceback" not in result.stderr


def test_a_loss_that_is_no_number(tiny_data, tmp_path, capfd):
    flags = [
        f"--train_data_pattern={tiny_data.train}",
        f"--train_dir={tmp_path}/run",
        "--model=MlpModel",
        "--base_learning_rate=1e30",
        "--checkpoint_every_steps=1",
    ]
    error = fails(train.main, capfd, *flags)
    assert "not a number any more, between step" in error
    assert "--base_learning_rate" in error
    flags = [f"--train_dir={tmp_path}/run", f"--input_data_pattern={tiny_data.test}"]
    if any(tmp_path.glob("run/checkpoints/step-*.index")):
        assert inference.main(["inference", *flags]) == 0


def test_a_model_that_cannot_be_built_leaves_no_run(tiny_data, tmp_path, capfd):
    flags = [f"--train_data_pattern={tiny_data.train}", f"--train_dir={tmp_path}/run"]
    wrong = ["--model=CnnModel", "--model_params=filters=(8, 8, 8, 8, 8, 8)"]
    assert "CnnModel.create_model failed: ValueError" in fails(train.main, capfd, *flags, *wrong)
    assert train.main(["train", *flags, "--model=MlpModel", "--max_steps=1"]) == 0


def test_training_records_given_to_inference(tiny_data, tiny_run, capfd):
    flags = [f"--train_dir={tiny_run}", f"--input_data_pattern={tiny_data.train}"]
    assert "This looks like training data" in fails(inference.main, capfd, *flags)


def test_images_of_another_size_than_the_models(tiny_run, tmp_path, write_records, capfd):
    write_records(tmp_path / "test-0.tfrecord", [np.zeros((20, 20), np.uint8)], image_id=[b"a"])
    flags = [f"--train_dir={tiny_run}", f"--input_data_pattern={tmp_path}/test-*"]
    error = fails(inference.main, capfd, *flags)
    assert "trained on images of 12 pixels a side. Received: 20" in error


def test_inference_without_a_run_or_a_checkpoint(tiny_data, tmp_path, capfd):
    flags = [f"--train_dir={tmp_path}", f"--input_data_pattern={tiny_data.test}"]
    assert "holds no run" in fails(inference.main, capfd, *flags)


def test_code_of_the_model_that_has_changed(tiny_data, tiny_run, tmp_path, capfd):
    shutil.copytree(tiny_run, tmp_path / "run")
    path = tmp_path / "run/run.json"
    changed = path.read_text().replace('"LogisticModel"', '"MlpModel"')
    path.write_text(changed)
    flags = [f"--train_dir={tmp_path}/run", f"--input_data_pattern={tiny_data.test}"]
    for which in ("best", "latest"):
        error = fails(inference.main, capfd, *flags, f"--checkpoint={which}")
        assert "does not fit the model: its code has changed since" in error


def test_an_unknown_choice_in_python_is_one_line():
    with pytest.raises(QuickdrawError, match="--schedule must be one of cosine, .* 'cosin'"):
        Settings(schedule="cosin")
