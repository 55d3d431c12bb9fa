"""gs:// paths: the same results as on a local disk, and what happens where the network fails."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest
from standins import front

from quickdraw import eval as evaluation
from quickdraw import inference, storage, train
from quickdraw.errors import QuickdrawError, StoppedError
from quickdraw.storage import client, transfer

# The client library leaves the connection of a refused download to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed <:ResourceWarning")

FLAGS = ("--batch_size=20", "--num_epochs=4", "--eval_every=2.0", "--base_learning_rate=0.02")


@pytest.fixture
def records(server, tiny_data):
    for path in tiny_data.folder.iterdir():
        server.store.put("b", f"data/{path.name}", path.read_bytes())
    return "gs://b/data"


def read(server, name):
    return server.store.get("b", name).data


def content(path):
    with storage.open_binary(path) as file:
        return file.read()


def predictions(data: object, run: object) -> int:
    """Trains, evaluates and predicts; returns the first exit code that is not 0."""
    patterns = [f"--train_data_pattern={data}/train-*", f"--eval_data_pattern={data}/valid-*"]
    test = f"--input_data_pattern={data}/test-*"
    return (
        train.main(["train", *patterns, f"--train_dir={run}", *FLAGS])
        or evaluation.main(["eval", f"--train_dir={run}", "--run_once"])
        or inference.main(["inference", f"--train_dir={run}", test])
    )


@pytest.fixture(scope="module")
def expected(tiny_data, tmp_path_factory):
    """What the same training on a local disk gives."""
    run = tmp_path_factory.mktemp("local") / "run"
    assert predictions(tiny_data.folder, run) == 0
    return result(lambda name: (run / name).read_bytes())


def result(read) -> tuple[bytes, bytes, str]:
    """The predictions of a run, its metrics to the last digit, and the data's fingerprint."""
    fingerprint = json.loads(read("run.json"))["data_fingerprint"]
    return read("predictions.csv"), read("best.json"), fingerprint


def result_of(server, run="runs/a"):
    return result(lambda name: read(server, f"{run}/{name}"))


# Everything that a path does


def test_a_run_on_gs_is_that_on_a_disk(server, records, expected):
    assert predictions(records, "gs://b/runs/a") == 0
    assert result_of(server) == expected
    assert not [name for name in server.store.objects("b") if "tmp" in name or "unfinished" in name]
    assert "runs/a/lock.json" not in server.store.objects("b")
    names = {name.split("/")[2] for name in server.store.objects("b") if "runs/a" in name}
    assert {"best.keras", "best.json", "metrics.csv", "eval.json", "train", "eval"} < names

    patterns = [f"--train_data_pattern={records}/train-*", "--train_dir=gs://b/runs/a"]
    assert train.main(["train", *patterns, *FLAGS, "--start_new_model"]) == 0
    assert result_of(server, "runs/a-old-1") == expected
    assert "runs/a/predictions.csv" not in server.store.objects("b")


def test_paths(server):
    server.largest_page = 2
    for name in ("x/1", "x/2", "x/y/3", "x/é #?%.txt", "top"):
        with storage.write_whole(f"gs://b/{name}") as file:
            file.write(name)
    assert storage.listdir("gs://b/x") == ["1", "2", "y", "é #?%.txt"]
    assert storage.listdir("gs://b/") == ["top", "x"]
    assert storage.listdir("gs://b/nothing") == []
    assert storage.expand("gs://b/x/*") == ["gs://b/x/1", "gs://b/x/2", "gs://b/x/é #?%.txt"]
    assert storage.expand("gs://b/*/?/3,gs://b/top") == ["gs://b/x/y/3", "gs://b/top"]
    assert content("gs://b/x/é #?%.txt").decode() == "x/é #?%.txt"
    assert [storage.is_folder(f"gs://b{end}") for end in ("", "/x", "/x/", "/top")] == [
        True, True, True, False,
    ]  # fmt: skip
    assert [storage.exists(f"gs://b/{end}") for end in ("x", "x/1", "x/9")] == [True, True, False]
    assert storage.file_size("gs://b/x/1") == 3
    storage.rename("gs://b/x", "gs://b/z")
    storage.delete("gs://b/z/y")
    assert sorted(server.store.objects("b")) == ["top", "z/1", "z/2", "z/é #?%.txt"]
    with pytest.raises(QuickdrawError, match="no file matches 'gs://b/z/t-\\*': gs://b/z holds 1"):
        storage.expand("gs://b/z/t-*")


@pytest.mark.parametrize("path", ["gs://", "s3://b/x", "gs://b*/x"])
def test_other_schemes_are_refused(path):
    with pytest.raises(QuickdrawError, match="gs://bucket/… expected"):
        storage.exists(path)


def test_a_bucket_alone_is_never_deleted(server):
    storage.write_json("gs://b/x", 1)
    with pytest.raises(QuickdrawError, match="path of an object expected"):
        storage.delete("gs://b/")
    assert storage.exists("gs://b/x")


def test_what_is_not_finished_leaves_the_old_object(server):
    storage.write_json("gs://b/x", "old")
    with pytest.raises(KeyError), storage.write_whole("gs://b/x") as file:
        file.write("half")
        raise KeyError
    assert storage.read_json("gs://b/x") == "old"
    assert list(server.store.objects("b")) == ["x"]


def test_large_objects_are_uploaded_in_parts(server, tmp_path):
    data = os.urandom(9 << 20)
    server.fail("/b/b/o", after=1, status=503)  # after the upload has begun
    with storage.write_whole("gs://b/large", "wb") as file:
        file.write(data)
    assert read(server, "large") == data
    server.fail("/large", after=1, reset_after=1 << 20)
    assert content("gs://b/large") == data


def test_event_files_arrive_by_time(server):
    with transfer.mirrored("gs://b/events", seconds=0.05) as folder:
        (Path(folder) / "below").mkdir()
        with open(f"{folder}/below/events", "w") as file:
            for text in ("a", "b"):
                print(text, file=file, flush=True)
                end = time.monotonic() + 10
                while "events/below/events" not in server.store.objects("b") or not read(
                    server, "events/below/events"
                ).endswith(text.encode() + b"\n"):
                    assert time.monotonic() < end
                    time.sleep(0.01)
            file.write("end")
    assert read(server, "events/below/events") == b"a\nb\nend"


# Failures that pass

FAULTS = {
    "statuses": [{"status": status} for status in (429, 500, 503)],
    "connections": [{"reset_after": 0}, {"reset_after": 100}, {"seconds_a_chunk": 0.05}],
}


@pytest.mark.parametrize("kind", FAULTS)
def test_bursts_of_failures_change_nothing(server, records, expected, kind, capfd):
    for number in range(100):
        server.fail("", times=5, after=10, **FAULTS[kind][number % len(FAULTS[kind])])
    assert predictions(records, "gs://b/runs/a") == 0
    assert result_of(server) == expected
    assert capfd.readouterr().err.count("trying again") > 10


def test_damaged_reads_are_read_again(server, records, expected, capfd, monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))  # the records, too, are to be read again
    for name in ("train-0.tfrecord", "test-0.tfrecord", "best.keras"):
        server.fail(name, after=1, truncate_to=50)
        server.fail(name, corrupt=True)
    assert predictions(records, "gs://b/runs/a") == 0
    assert result_of(server) == expected
    assert "another checksum: trying again" in capfd.readouterr().err


def test_a_failure_that_stays_says_start_me_again(server, monkeypatch):
    monkeypatch.setattr(client, "PATIENCE", 0.3)
    server.fail("", times=1000, status=503)
    with pytest.raises(StoppedError, match="answer 503, time after time"):
        storage.read_json("gs://b/x")


# The real hosts' names, TLS, and tokens of a metadata server


@pytest.fixture
def behind_tls(server, records, monkeypatch, tmp_path):
    port = server.server_address[1]
    hosts = dict.fromkeys(("storage.googleapis.com", "iamcredentials.googleapis.com"), port)
    server.token = "first"
    with front.serve(hosts, tmp_path, port) as proxy:
        monkeypatch.delenv("STORAGE_EMULATOR_HOST")
        proxy.lead_here(monkeypatch)
        client.client.cache_clear()
        yield server


def test_a_token_that_expires_in_the_middle(behind_tls, records, expected):
    for number in range(3):
        behind_tls.fail("", after=20, token=f"token {number}")
    assert predictions(records, "gs://b/runs/a") == 0
    assert result_of(behind_tls) == expected
    assert behind_tls.token == "token 2"


# Failures that do not pass: one line, soon


@pytest.mark.parametrize(
    ("break_it", "told"),
    [
        ("token", "no token, or a refused one (401"),
        (
            "forbidden",
            "access denied (403). This account needs roles/storage.objectAdmin on gs://b",
        ),
        ("bucket", "there is no bucket gs://nowhere (404)"),
    ],
)
@pytest.mark.parametrize("command", ["train", "eval", "inference"])
def test_refusals_are_told_apart(behind_tls, records, break_it, told, command, capfd, monkeypatch):
    folder, run = records, "gs://b/runs/a"
    storage.write_json("gs://b/runs/a/run.json", {})
    if break_it == "token":
        behind_tls.fail("", times=1000, status=401)
    elif break_it == "forbidden":
        behind_tls.store.forbidden.add("b")
    elif break_it == "bucket":
        folder, run = "gs://nowhere/data", "gs://nowhere/runs/a"
    pattern = f"{folder}/train-*"
    modules = {"train": train, "eval": evaluation, "inference": inference}
    flag = {"train": "train_data_pattern", "eval": "eval_data_pattern"}.get(command)
    start = time.monotonic()
    code = modules[command].main(
        [command, f"--{flag or 'input_data_pattern'}={pattern}", f"--train_dir={run}"]
        + ["--run_once"] * (command == "eval")
    )
    assert code == 1
    assert time.monotonic() - start < 30
    error = capfd.readouterr().err
    assert told in error.splitlines()[-1]
    assert "Traceback" not in error


def test_a_missing_object_is_no_missing_bucket(server):
    with pytest.raises(QuickdrawError, match=r"gs://b/x: no such object \(404\); the bucket is"):
        storage.open_binary("gs://b/x")
    with pytest.raises(QuickdrawError, match=r"gs://c/x: there is no bucket gs://c \(404\)"):
        storage.open_binary("gs://c/x")
    with pytest.raises(QuickdrawError, match=r"there is no bucket gs://c"):
        storage.write_json("gs://c/x", 1)


def test_a_training_lists_each_pattern_once(server, records, tmp_path, monkeypatch):
    listed = []
    listing = server.store.list

    def counted(bucket, prefix="", *others, **more):
        listed.append(prefix)
        return listing(bucket, prefix, *others, **more)

    monkeypatch.setattr(server.store, "list", counted)
    flags = [f"--train_data_pattern={records}/train-*", f"--eval_data_pattern={records}/valid-*"]
    assert train.main(["train", *flags, f"--train_dir={tmp_path}/run", *FLAGS]) == 0
    assert sorted(prefix for prefix in listed if prefix.startswith("data/")) == [
        "data/train-",
        "data/valid-",
    ]
