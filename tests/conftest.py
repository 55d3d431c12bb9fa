"""Fixtures: small sets of records, a run trained on them, and real drawings where there are any."""

from __future__ import annotations

import csv
import dataclasses
import gc
import os
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import hypothesis
import numpy as np
import pytest
from reading import noise
from standins import gcs
from standins.gcs_store import Store

from quickdraw.records import dataset_info, example, png, tfrecord
from quickdraw.storage import client

# The machines that run these tests are shared: how long one example takes says nothing.
hypothesis.settings.register_profile("quickdraw", deadline=None)
hypothesis.settings.load_profile("quickdraw")

# What may be missing all the same: Beam has an environment of its own in .ci/run, PyTorch is only
# what the benchmark compares with, Google's client is in no registry, and real drawings lie outside
# the repository. The rest is the machine's nature.
MAY_BE_MISSING = re.compile(
    "Apache Beam|torch|gcloud|real drawings|older than|this machine|this disk|this system"
)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Iterator[None]:
    """With QUICKDRAW_TEST_EVERYTHING set, nothing is skipped because a program is missing."""
    report = yield
    everything = report.skipped and "QUICKDRAW_TEST_EVERYTHING" in os.environ
    if everything and not MAY_BE_MISSING.search(str(report.longrepr)):
        report.outcome = "failed"
    return report


WriteRecords = Callable[..., str]
SIDE = 12
LABELS = ["cat", "hot dog", "sun"]


def drawings(labels: Iterable[int], seed: int) -> np.ndarray:
    """An image for each label: faint noise, and a bright bar whose place tells the class."""
    labels = np.asarray(labels)
    images = np.random.default_rng(seed).integers(0, 64, (len(labels), SIDE, SIDE), np.uint8)
    for image, label in zip(images, labels, strict=True):
        image[4 * label : 4 * label + 3] = 255
    return images


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Decoded drawings are cached where the tests keep their files, not in the user's home."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="session")
def write_records() -> WriteRecords:
    """`write_records(path, images, label=[0, 1], image_id=[b"a", b"b"])` writes a shard.

    Images are uint8 arrays or bytes (of a PNG, or of what pretends to be one); every other feature
    is a list with a value for each image. Returns the path.
    """

    def write(path: str | Path, images: Iterable[Any], **features: Iterable[Any]) -> str:
        with open(path, "wb") as file:
            for image, *values in zip(images, *features.values(), strict=True):
                data = image if isinstance(image, bytes) else png.encode(image)
                others = {
                    name: value if isinstance(value, bytes | list) else int(value)
                    for name, value in zip(features, values, strict=True)
                }
                file.write(tfrecord.frame(example.serialise(image=data, **others)))
        return str(path)

    return write


@pytest.fixture
def shard(tmp_path: Path, write_records: WriteRecords) -> Path:
    """Ten 8 x 8 images with the labels 0, 1, 2, 0, …; no dataset.json beside them."""
    path = tmp_path / "train-0.tfrecord"
    write_records(path, noise(10), label=np.arange(10) % 3)
    return path


@dataclasses.dataclass
class TinyData:
    """Where a tiny set of three classes lies.

    Attributes:
        folder: holds train-*, valid-* and test-* shards, dataset.json and solution.csv.
        labels: names of the classes.
        answers: label of each test record, by its id, in the order of the records.
    """

    folder: Path
    labels: list[str]
    answers: dict[str, int]

    @property
    def train(self) -> str:
        return f"{self.folder}/train-*"

    @property
    def valid(self) -> str:
        return f"{self.folder}/valid-*"

    @property
    def test(self) -> str:
        return f"{self.folder}/test-*"

    @property
    def solution(self) -> str:
        return f"{self.folder}/solution.csv"


@pytest.fixture(scope="session")
def tiny_data(tmp_path_factory: pytest.TempPathFactory, write_records: WriteRecords) -> TinyData:
    """120 training (in two shards), 60 validation and 40 test drawings, 12 x 12. Only read it."""
    folder = tmp_path_factory.mktemp("tiny")
    for number, name in enumerate(["train-0", "train-1", "valid-0"]):
        labels = np.random.default_rng(number).permutation(np.arange(60) % 3)
        write_records(folder / f"{name}.tfrecord", drawings(labels, number), label=labels)
    test = np.random.default_rng(9).permutation(np.arange(40) % 3)
    answers = {f"id{number:02}": int(label) for number, label in enumerate(test)}
    ids = [name.encode() for name in answers]
    write_records(folder / "test-0.tfrecord", drawings(test, 9), image_id=ids)
    with open(folder / "solution.csv", "w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("image_id", "label"), *answers.items()])
    dataset_info.DatasetInfo(LABELS, SIDE, source="a test", fingerprint="tiny").save(str(folder))
    return TinyData(folder, LABELS, answers)


@pytest.fixture(scope="session")
def tiny_run(tmp_path_factory: pytest.TempPathFactory, tiny_data: TinyData) -> str:
    """The train_dir of softmax regression on `tiny_data`. Copy it before changing anything."""
    from quickdraw.training import Settings, fit

    train_dir = str(tmp_path_factory.mktemp("runs") / "tiny")
    fit(
        Settings(
            train_data_pattern=tiny_data.train,
            eval_data_pattern=tiny_data.valid,
            train_dir=train_dir,
            batch_size=20,
            num_epochs=10.0,
            eval_every=5.0,
            base_learning_rate=0.02,
        )
    )
    return train_dir


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[gcs.Server]:
    """Cloud Storage on this machine, with a bucket `b`; this process uses it."""
    store = Store()
    store.make_bucket("b")
    monkeypatch.setattr(client, "FIRST_WAIT", 0.01)
    monkeypatch.setattr(client, "LONGEST_WAIT", 0.05)
    with gcs.serve(store) as running:
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", running.url)
        client.client.cache_clear()
        yield running
    client.client.cache_clear()
    gc.collect()


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real drawings beside the repository; tests that need it are skipped without."""
    folder = Path(__file__).resolve().parents[2] / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"needs the real drawings in {folder}, which is not there")
    return folder
