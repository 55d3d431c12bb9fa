"""Several devices and several processes train as one does."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from quickdraw import devices
from quickdraw.errors import QuickdrawError
from quickdraw.training import Settings, fit

# A small learning rate: what differs is the order of float additions, which training amplifies.
TRAINING = {
    "model": "CnnModel",
    "model_params": "filters=(4, 8), dense_units=8",
    "batch_size": 24,
    "num_epochs": 4.0,
    "base_learning_rate": 0.002,
}


def settings_of(tiny_data, train_dir: Path, **changes) -> dict:
    return {
        "train_data_pattern": tiny_data.train,
        "eval_data_pattern": tiny_data.valid,
        "train_dir": str(train_dir),
        **TRAINING,
        **changes,
    }


def on_devices(count: int, settings: dict) -> subprocess.CompletedProcess:
    """`fit` in a process of its own in which the CPU is so many devices."""
    program = (
        "import sys, json, tensorflow as tf\n"
        "from quickdraw.training import Settings, fit\n"
        "cpu = tf.config.list_physical_devices('CPU')[0]\n"
        f"parts = [tf.config.LogicalDeviceConfiguration()] * {count}\n"
        "tf.config.set_logical_device_configuration(cpu, parts)\n"
        f"fit(Settings(**{settings!r}))\n"
    )
    return subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )


@contextlib.contextmanager
def workers_of(flags: list[str], count: int = 2) -> Iterator[list[subprocess.Popen]]:
    """Processes of `quickdraw.train` on this machine that know each other by TF_CONFIG."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    addresses = [f"127.0.0.1:{one.getsockname()[1]}" for one in sockets]
    for one in sockets:
        one.close()
    with contextlib.ExitStack() as stack:
        workers = []
        for index in range(count):
            task = {"cluster": {"worker": addresses}, "task": {"type": "worker", "index": index}}
            worker = subprocess.Popen(
                [sys.executable, "-m", "quickdraw.train", *flags],
                env={**os.environ, "TF_CONFIG": json.dumps(task)},
                stderr=subprocess.PIPE,
                text=True,
            )
            workers.append(stack.enter_context(worker))
            stack.callback(worker.kill)
        yield workers


def flags_of(settings: dict) -> list[str]:
    return [f"--{name}={value}" for name, value in settings.items()]


def curve(train_dir: Path) -> list[float]:
    """Training loss, validation loss and validation top-1 of each report."""
    lines = (train_dir / "metrics.csv").read_text().splitlines()
    names = lines[0].split(",")
    columns = [names.index(name) for name in ("train_loss", "eval_loss", "eval_top1")]
    return [float(line.split(",")[column] or 0) for line in lines[1:] for column in columns]


@pytest.mark.slow
def test_two_devices_and_two_workers_learn_as_one(tiny_data, tmp_path):
    augment = {"augment": "elastic=1, mixup=0.4, cutmix=1"}
    fit(Settings(**settings_of(tiny_data, tmp_path / "one", **augment)))
    settings = settings_of(tiny_data, tmp_path / "two", distribute="mirrored", **augment)
    assert "2 devices in 1 process(es): 12 of the 24" in on_devices(2, settings).stderr
    with workers_of(flags_of(settings_of(tiny_data, tmp_path / "workers", **augment))) as workers:
        told = [worker.communicate(timeout=120)[1] for worker in workers]
        assert [worker.returncode for worker in workers] == [0, 0], told
    expected = curve(tmp_path / "one")
    assert len(expected) == 12
    assert curve(tmp_path / "two") == pytest.approx(expected, abs=1e-4)
    assert curve(tmp_path / "workers") == pytest.approx(expected, abs=1e-4)


@pytest.mark.slow
def test_each_device_moves_centres_of_its_own(tiny_data, tmp_path):
    changes = {"label_loss": "CenterLoss", "num_epochs": 2.0}
    fit(Settings(**settings_of(tiny_data, tmp_path / "one", **changes)))
    on_devices(2, settings_of(tiny_data, tmp_path / "two", distribute="mirrored", **changes))
    assert curve(tmp_path / "two") == pytest.approx(curve(tmp_path / "one"), abs=1e-2)


@pytest.mark.slow
def test_a_lost_worker_is_named_and_the_job_goes_on_when_restarted(tiny_data, tmp_path):
    flags = flags_of(settings_of(tiny_data, tmp_path / "run", num_epochs=2000, eval_every=50))
    with workers_of(flags) as workers:
        end = time.monotonic() + 90
        while not list(tmp_path.glob("run/checkpoints/step-*.index")) and time.monotonic() < end:
            time.sleep(0.1)
        workers[1].kill()
        stderr = workers[0].communicate(timeout=60)[1]
        assert workers[0].returncode == 75
        assert re.search("worker 1 was lost .* go on from the last checkpoint", stderr)
    with workers_of(flags) as workers:
        lines = iter(workers[0].stderr.readline, "")
        assert any("going on from the checkpoint" in line for line in lines)
        assert any("compiled" in line for line in lines)
        workers[1].send_signal(signal.SIGTERM)  # one is asked to stop: all save and stop
        for worker in workers:
            worker.communicate(timeout=60)
        assert [worker.returncode for worker in workers] == [75, 75]


def test_a_batch_that_cannot_be_shared_is_refused(tiny_data, tmp_path):
    with pytest.raises(
        QuickdrawError, match="--batch_size must be a multiple of 5 .* Received: 24"
    ):
        fit(Settings(**settings_of(tiny_data, tmp_path, accumulate_steps=5)))


def test_one_worker_alone_is_no_cluster(monkeypatch):
    cluster = {"cluster": {"chief": ["a:1"]}, "task": {"type": "chief", "index": 0}}
    monkeypatch.setenv("TF_CONFIG", json.dumps(cluster))
    assert devices.create("auto").replicas == 1
    with pytest.raises(QuickdrawError, match="needs a TF_CONFIG"):
        devices.create("multi_worker")
