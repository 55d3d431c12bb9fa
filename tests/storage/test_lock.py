"""One process at a time trains in a gs:// folder; a lock whose holder is gone is taken over."""

from __future__ import annotations

import errno
import json
import os
import random
import sys
import threading
import time

import numpy as np
import pytest

from quickdraw import train
from quickdraw.errors import QuickdrawError
from quickdraw.storage import lock
from quickdraw.training import Settings, fit

# The client library leaves the connection of a refused download to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed <:ResourceWarning")

FOLDER, NAME = "gs://b/runs/a", "runs/a/lock.json"


@pytest.fixture(autouse=True)
def _quick(server, monkeypatch):
    monkeypatch.setattr(lock, "REFRESH", 0.05)
    monkeypatch.setattr(lock, "STALE", 0.4)
    monkeypatch.delenv("CLOUD_ML_JOB_ID", raising=False)


def leave_lock(server, **holder: str) -> None:
    """As a process does that is killed."""
    server.store.put("b", NAME, json.dumps({"id": "x", "host": "pc", **holder}).encode())


def names(server) -> set[str]:
    return set(server.store.objects("b"))


def wait_until(condition) -> None:
    end = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_a_disk_that_knows_no_locks(tmp_path, monkeypatch, capfd):
    import fcntl

    def refused(*_):
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", refused)
    with lock.lock(str(tmp_path), "writing a data set"):
        pass
    assert "cannot be locked (No locks available): see that no other" in capfd.readouterr().err


def test_a_second_process_is_refused_while_the_first_lives(server, monkeypatch):
    for _ in range(2):
        with lock.held(FOLDER) as check:
            with pytest.raises(QuickdrawError, match=f"training in {FOLDER} .*: wait for it"):
                lock.held(FOLDER).__enter__()
            with lock.held(f"{FOLDER}-other"):
                pass
            check()
        assert not names(server)


def test_the_lock_of_a_process_that_is_gone_is_taken_over_after_a_while(server, capfd):
    leave_lock(server, job="7", time="noon")
    start = time.monotonic()
    with lock.held(FOLDER) as check:
        assert time.monotonic() - start > 0.4
        check()
    assert "job 7 on pc at noon was here" in capfd.readouterr().err


def test_who_looks_sees_whether_a_holder_lives(server, monkeypatch):
    assert not lock.is_locked(FOLDER)
    monkeypatch.setattr(lock, "STALE", 60)
    with lock.held(FOLDER):
        assert lock.is_locked(FOLDER) and lock.is_locked(f"{FOLDER}/")
    assert not lock.is_locked(FOLDER)
    leave_lock(server)
    assert lock.is_locked(FOLDER)
    monkeypatch.setattr(lock, "STALE", 0.05)
    wait_until(lambda: not lock.is_locked(FOLDER))


@pytest.mark.parametrize("content", [b"", b"[1]", b"{"])
def test_a_damaged_lock_is_taken_over_too(server, content):
    server.store.put("b", NAME, content)
    with lock.held(FOLDER):
        assert json.loads(server.store.get("b", NAME).data)["host"]


def test_a_job_that_starts_again_takes_over_its_own_at_once(server, monkeypatch):
    monkeypatch.setattr(lock, "STALE", 1000)
    monkeypatch.setenv("CLOUD_ML_JOB_ID", "7")
    leave_lock(server, job="7")
    with lock.held(FOLDER):
        pass


def test_a_lock_that_goes_while_one_waits_is_free(server):
    leave_lock(server)
    threading.Timer(0.1, server.store.delete, ("b", NAME)).start()
    with lock.held(FOLDER) as check:
        check()


def test_lost_answers_do_not_lose_the_lock(server):
    server.fail("/b/b/o", reset_after=0)  # the object is written, the answer does not arrive
    with lock.held(FOLDER) as check:
        server.fail("/b/b/o", reset_after=0)
        before = server.store.get("b", NAME).generation
        wait_until(lambda: server.store.get("b", NAME).generation > before + 2)
        check()
    assert not names(server)


def test_training_is_refused_and_stops_writing_when_it_lost_the_lock(server, tiny_data, capfd):
    flags = [f"--train_data_pattern={tiny_data.train}", "--num_epochs=1e6", "--eval_every=1e6"]
    command = ["train", *flags, f"--train_dir={FOLDER}", "--checkpoint_every_minutes=0.001"]
    with lock.held(FOLDER):
        assert train.main(command) == 1
    assert f"another process is training in {FOLDER}" in capfd.readouterr().err
    assert not names(server)

    def take_over() -> None:
        wait_until(lambda: any(name.endswith(".index") for name in names(server)))
        leave_lock(server, host="other")

    thread = threading.Thread(target=take_over)
    thread.start()
    assert train.main(command) == 1
    thread.join()
    assert f"another process has taken over {FOLDER}" in capfd.readouterr().err
    assert json.loads(server.store.get("b", NAME).data)["host"] == "other"


def test_windows_without_wsl_is_told(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "fcntl", None)
    with pytest.raises(QuickdrawError, match="work in WSL"), lock.lock(str(tmp_path / "run")):
        pytest.fail("must not be reached")
    assert not (tmp_path / "run").exists()


def test_a_refresh_does_not_change_the_initial_weights(server, tiny_data, tmp_path, monkeypatch):
    """Google's client draws from the random numbers that Keras draws a network's weights from."""
    monkeypatch.setattr(lock, "REFRESH", 0.0)
    monkeypatch.setattr(lock._Lock, "refresh", lambda _: random.random())
    settings = {"train_data_pattern": tiny_data.train, "max_steps": 1, "batch_size": 20}
    weights = [
        fit(Settings(train_dir=folder, **settings)).model.get_weights()
        for folder in (str(tmp_path / "run"), FOLDER)
    ]
    for local, remote in zip(*weights, strict=True):
        np.testing.assert_array_equal(local, remote)
