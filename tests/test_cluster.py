"""TF_CONFIG: what it names, what is wrong with it, and for whom a process waits."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from quickdraw import cluster, train
from quickdraw.cluster import Cluster
from quickdraw.errors import QuickdrawError

TWO = {"worker": ["a:1", "b:2"]}


def set_config(monkeypatch, tasks, kind="worker", index=0) -> None:
    content = {"cluster": tasks, "task": {"type": kind, "index": index}}
    monkeypatch.setenv("TF_CONFIG", json.dumps(content))


@pytest.mark.parametrize(
    ("tasks", "kind", "index", "expected"),
    [
        (TWO, "worker", 1, Cluster(["worker 0", "worker 1"], ["a:1", "b:2"], 1)),
        (TWO, "worker", "1", Cluster(["worker 0", "worker 1"], ["a:1", "b:2"], 1)),
        (
            {"worker": ["b:2"], "chief": ["a:1"], "ps": ["c:3"]},
            "worker",
            0,
            Cluster(["chief 0", "worker 0"], ["a:1", "b:2"], 1),
        ),
        ({"chief": ["a:1"]}, "chief", 0, None),
        ({"worker": ["a:1"], "evaluator": ["b:2"]}, "worker", 0, None),
        ({}, "anything", 0, None),
    ],
)
def test_the_processes_that_train_are_found(monkeypatch, tasks, kind, index, expected):
    set_config(monkeypatch, tasks, kind, index)
    assert cluster.find() == expected


@pytest.mark.parametrize("text", [None, "", "{}", '{"environment": "cloud"}', '{"cluster": null}'])
def test_no_cluster_is_none(monkeypatch, text):
    monkeypatch.delenv("TF_CONFIG", raising=False)
    if text is not None:
        monkeypatch.setenv("TF_CONFIG", text)
    assert cluster.find() is None


@pytest.mark.parametrize("kind", ["ps", "evaluator", "master", "Worker"])
@pytest.mark.parametrize("workers", [["a:1"], ["a:1", "b:2"]])
def test_a_task_that_is_not_ours_is_one_line(monkeypatch, capsys, kind, workers):
    set_config(monkeypatch, {"worker": workers, kind: ["c:3"]}, kind)
    assert train.main(["train"]) == 1
    error = capsys.readouterr().err
    assert f"this is {kind} 0, and only chief and worker train" in error
    assert error.count("\n") == 1


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{", "JSONDecodeError"),
        ("[]", "AttributeError"),
        ('"x"', "AttributeError"),
        ('{"cluster": {"worker": ["a:1", "b:2"]}}', "KeyError: 'type'"),
        ('{"cluster": {"worker": 3}, "task": {"type": "worker", "index": 0}}', "TypeError"),
        ('{"cluster": {"worker": ["a:1", "b:2"]}, "task": {"type": "worker"}}', "'index'"),
        (
            '{"cluster": {"worker": ["a:1", "b:2"]}, "task": {"type": "worker", "index": 2}}',
            "no worker 2 among worker 0, worker 1",
        ),
        (
            '{"cluster": {"worker": ["a:1"]}, "task": {"type": "worker", "index": 1}}',
            "no worker 1 among worker 0",
        ),
        (
            '{"cluster": {"worker": ["a:1", "b"]}, "task": {"type": "worker", "index": 0}}',
            "host:port expected, not 'b'",
        ),
        (
            '{"cluster": {"worker": ["a:1", "a:1"]}, "task": {"type": "worker", "index": 0}}',
            "a:1 is there twice",
        ),
    ],
)
def test_what_cannot_be_understood_is_one_line(monkeypatch, capsys, text, told):
    monkeypatch.setenv("TF_CONFIG", text)
    assert train.main(["train"]) == 1
    error = capsys.readouterr().err
    assert "TF_CONFIG cannot be understood (" in error and told in error
    assert error.count("\n") == 1


def free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def of_ports(ports: list[int], index: int) -> Cluster:
    names = [f"worker {number}" for number in range(len(ports))]
    return Cluster(names, [f"localhost:{port}" for port in ports], index)


def test_a_process_says_for_whom_it_waits_until_all_are_there(monkeypatch, capsys):
    monkeypatch.setattr(cluster, "_FIRST_WAIT", 0.2)
    monkeypatch.setattr(cluster, "_WAIT", 0.05)
    ports = free_ports(3)
    waiting = [threading.Thread(target=of_ports(ports, n).wait_for_all) for n in range(2)]
    for thread in waiting:
        thread.start()
    time.sleep(0.6)
    assert all(thread.is_alive() for thread in waiting)
    error = capsys.readouterr().err
    assert f"waiting for worker 2 (localhost:{ports[2]}): not started yet?" in error
    assert error.count("\n") < 8
    with socket.create_server(("", ports[2])):  # as TensorFlow listens, once it waited itself
        for thread in waiting:
            thread.join(timeout=10)
            assert not thread.is_alive()


def test_a_port_that_is_taken_is_told():
    ports = free_ports(2)
    with (
        socket.create_server(("", ports[0])),
        pytest.raises(QuickdrawError, match=f"worker 0 is to listen on port {ports[0]}"),
    ):
        of_ports(ports, 0).wait_for_all()


@pytest.mark.slow
def test_a_training_that_waits_can_be_ended(tmp_path: Path, tiny_data):
    first, second = free_ports(2)
    tasks = {"worker": [f"localhost:{first}", f"localhost:{second}"]}
    config = {"cluster": tasks, "task": {"type": "worker", "index": 0}}
    flags = [f"--train_data_pattern={tiny_data.train}", f"--train_dir={tmp_path}/run"]
    with subprocess.Popen(
        [sys.executable, "-m", "quickdraw.train", *flags],
        env={**os.environ, "TF_CONFIG": json.dumps(config)},
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr is not None
        lines = iter(process.stderr.readline, "")
        assert any(f"waiting for worker 1 (localhost:{second})" in line for line in lines)
        process.terminate()
        process.communicate(timeout=20)
    assert not (tmp_path / "run").exists()
