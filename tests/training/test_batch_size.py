"""`--batch_size=auto`: by the GPU's memory and the number of drawings, and kept with the run."""

from __future__ import annotations

import numpy as np
import pytest

from quickdraw import devices, runs, train
from quickdraw.errors import QuickdrawError
from quickdraw.models import CnnModel, LogisticModel
from quickdraw.records.shards import BadRecords
from quickdraw.training import Settings, batch_size, fit
from quickdraw.training.data.cache import Drawings

GPU = 16 * 10**9


@pytest.fixture(scope="module")
def network():
    return CnnModel().build(28, 1, 10)


@pytest.fixture
def suggested(monkeypatch, network):
    def suggest(memory, drawings, replicas=1, **settings):
        monkeypatch.setattr(devices, "gpu_bytes", lambda: memory)
        monkeypatch.setattr(devices.Distribution, "replicas", replicas)
        few = np.zeros((2, 28, 28, 1), np.uint8)
        labels = np.zeros(2, np.int32)
        some = Drawings({"image": few}, labels, "", BadRecords("error"), sampled_from=drawings)
        here = devices.create("none")
        return batch_size.suggested(Settings(batch_size="auto", **settings), network, some, here)

    return suggest


def test_a_cpu_gets_the_default(suggested):
    assert suggested(None, 10**7) == Settings().batch_size == 128


def test_a_gpu_gets_more_the_more_drawings_there_are(suggested):
    sizes = [suggested(GPU, drawings) for drawings in (100, 28_022, 60_000, 200_000, 10**8)]
    assert sizes == [128, 128, 256, 512, 1024]


def test_a_small_gpu_gets_what_its_memory_takes(suggested, network):
    a_drawing = batch_size.bytes_of_a_drawing(network)
    assert 100_000 < a_drawing < 200_000  # the convolutions' outputs alone are 87,808
    sizes = [suggested(memory, 10**7, memory_budget=1) for memory in (10**8, 2 * 10**8, 10**9)]
    assert sizes == sorted(sizes) and 1 <= sizes[0] < sizes[-1] == 1024
    for size, memory in zip(sizes, (10**8, 2 * 10**8), strict=False):
        assert size & (size - 1) == 0 and size * a_drawing < memory
    assert suggested(10**6, 10**7) == 1  # too small for anything: the step will tell


def test_drawings_that_stay_in_memory_leave_less(suggested):
    memory = 10**9
    streamed, resident = (suggested(memory, 10**6, memory_budget=mb) for mb in (1, 785))
    assert resident < streamed


def test_every_part_of_a_batch_is_a_power_of_two(suggested):
    assert suggested(GPU, 10**8, replicas=3) == 3 * 256
    assert suggested(GPU, 10**8, accumulate_steps=5) == 5 * 128
    assert suggested(None, 10**8, replicas=200) == 200


def test_the_choice_is_told_and_kept_with_the_run(tiny_data, tmp_path, monkeypatch, capfd):
    settings = Settings(
        train_data_pattern=tiny_data.train,
        train_dir=str(tmp_path / "run"),
        batch_size="auto",
        max_steps=2,
    )
    fit(settings)
    assert "--batch_size=auto: 128 (the default)" in capfd.readouterr().err
    assert runs.read(str(tmp_path / "run")).settings["batch_size"] == 128
    monkeypatch.setattr(batch_size, "_USUAL", 64)  # as on another machine
    assert fit(settings).step == 2
    assert "holds this run already" in capfd.readouterr().err


def test_a_run_of_another_size_goes_on_with_that(tiny_data, tmp_path, capfd):
    common = {"train_data_pattern": tiny_data.train, "train_dir": str(tmp_path / "run")}
    fit(Settings(**common, batch_size=24, max_steps=2))
    fit(Settings(**common, batch_size="auto", max_steps=2))
    assert runs.read(str(tmp_path / "run")).settings["batch_size"] == 24
    fit(Settings(**common, batch_size="auto", max_steps=2, start_new_model=True))
    assert runs.read(str(tmp_path / "run")).settings["batch_size"] == 128


def test_a_dry_run_counts_all_drawings(write_records, tmp_path, monkeypatch, capfd):
    images = np.zeros((1500, 4, 4), np.uint8)
    path = write_records(tmp_path / "many", images, label=np.arange(1500) % 3)
    monkeypatch.setattr(devices, "gpu_bytes", lambda: GPU)
    monkeypatch.setattr(batch_size, "_STEPS_AN_EPOCH", 5)
    flags = [f"--train_data_pattern={path}", "--batch_size=auto", f"--train_dir={tmp_path}/run"]
    assert train.main(["train", "--dry_run", *flags]) == 0
    told = capfd.readouterr().err
    assert "--batch_size=auto: 256 (16 GB a GPU" in told
    assert "drawings: 1,500" in told and "47 of 256 drawings" in told  # 1,500 * 8 / 256


@pytest.mark.parametrize("value", ["Auto", "1.5", "many", ""])
def test_other_words_are_refused(value, capfd):
    assert train.main(["train", f"--batch_size={value}", "--dry_run"]) == 2
    assert "an integer or auto expected" in capfd.readouterr().err
    with pytest.raises(QuickdrawError, match="batch_size must be"):
        Settings(batch_size=value)


def test_every_value_of_a_network_is_counted():
    network = LogisticModel().build(3, 1, 2)
    sizes = {each.name: each.output for each in network.operations}
    elements = sum(int(np.prod(value.shape[1:])) for value in sizes.values())
    assert 9 + 4 * (elements - 9) == batch_size.bytes_of_a_drawing(network)
