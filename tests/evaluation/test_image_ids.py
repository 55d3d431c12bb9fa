"""Ids that come twice are told, the first of them by name."""

import os

import pytest
from reading import noise

from quickdraw import inference
from quickdraw.evaluation.image_ids import ImageIds


def reported(batches: list[list[str]], path: str, capfd) -> str:
    ids = ImageIds()
    for batch in batches:
        ids.add(batch)
    ids.report(path)
    return capfd.readouterr().err


def test_ids_that_differ_are_not_worth_a_word(tmp_path, capfd):
    assert reported([["a", "b"], ["c"], []], str(tmp_path / "p.csv"), capfd) == ""


@pytest.mark.parametrize("batches", [[["b", "a, ü", "a, ü"]], [["a, ü", "b"], ["c", "a, ü"]]])
def test_an_id_in_the_same_batch_or_in_another_is_told(tmp_path, capfd, batches):
    path = tmp_path / "p.csv"
    path.write_text('image_id,label\nb,0\n"a, ü",1\n', encoding="utf-8")
    told = reported(batches, str(path), capfd)
    assert "warning: 1 image_id of the test records come more than once (such as 'a, ü')" in told


def test_a_pipe_is_not_read_back(tmp_path, capfd):
    os.mkfifo(tmp_path / "pipe")
    assert "2 image_ids of the test" in reported([["a", "b"] * 2], str(tmp_path / "pipe"), capfd)


def test_inference_warns_and_writes_all(tiny_run, tmp_path, write_records, capfd):
    ids = [b"a", b"b", b"a", b"c"]
    records = write_records(tmp_path / "test-0", noise(4, 12), image_id=ids)
    output = tmp_path / "p.csv"
    flags = [f"--train_dir={tiny_run}", f"--input_data_pattern={records}"]
    assert inference.main(["inference", *flags, f"--output_file={output}"]) == 0
    assert "1 image_id of the test records come more than once (such as 'a')" in (
        capfd.readouterr().err
    )
    assert len(output.read_text().splitlines()) == 5
