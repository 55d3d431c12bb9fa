"""Local paths: files whole or not at all."""

import errno
import os
import re
import subprocess
import sys
import threading

import pytest

from quickdraw import storage
from quickdraw.errors import QuickdrawError
from quickdraw.storage import paths


@pytest.fixture
def folder(tmp_path):
    """Holds shards, a description and a half-written shard."""
    for name in (
        "train-1.tfrecord",
        "train-0.tfrecord",
        "valid-0.tfrecords.gz",
        "dataset.json",
        "train-2.tfrecord.tmp",
    ):
        (tmp_path / name).write_bytes(b"x")
    return tmp_path


def names(files: list[str]) -> list[str]:
    return [file.rpartition("/")[2] for file in files]


# Writing


@pytest.mark.parametrize(("mode", "content"), [("w", "한글\n"), ("wb", b"\0\xff")])
def test_a_file_appears_when_it_is_complete(tmp_path, mode, content):
    path = tmp_path / "below" / "file"
    with storage.write_whole(str(path), mode) as file:
        file.write(content)
        assert not path.exists()
    assert path.read_bytes() == (content.encode() if isinstance(content, str) else content)
    assert names(map(str, path.parent.iterdir())) == ["file"]


def test_folders_that_were_made_for_a_file_go_with_it(tmp_path):
    path = tmp_path / "new" / "below" / "file"
    with pytest.raises(ValueError, match="x"), storage.write_whole(str(path)):
        raise ValueError("x")
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(ValueError, match="x"), storage.write_whole(str(path)):
        (path.parent / "another").write_text("by somebody else")
        raise ValueError("x")
    assert names(map(str, path.parent.iterdir())) == ["another"]


def test_a_full_disk_is_told_with_the_file(tmp_path, monkeypatch):
    def full(*args):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    path = str(tmp_path / "file")
    with pytest.raises(OSError, match=re.escape(path)), storage.write_whole(path):
        pass


def test_an_output_is_checked_before_and_nothing_is_made(tmp_path):
    (tmp_path / "file").write_text("x")
    storage.check_output(str(tmp_path / "new" / "below" / "file"))
    storage.check_output(str(tmp_path / "file"))
    storage.check_output("file-that-is-not-there")
    storage.check_output(str(tmp_path / "solution.csv"))
    with pytest.raises(QuickdrawError, match="is a folder"):
        storage.check_output(str(tmp_path))
    with pytest.raises(QuickdrawError, match="file is a file"):
        storage.check_output(str(tmp_path / "file" / "below" / "x"))
    assert names(map(str, tmp_path.iterdir())) == ["file"]


@pytest.mark.parametrize("name", ["solution.csv", "test-00000-of-00001.tfrecords", "dataset.json"])
def test_records_and_their_answers_are_not_replaced(tmp_path, name):
    (tmp_path / name).write_text("x")
    for check in (storage.refuse_records, storage.check_output):
        with pytest.raises(QuickdrawError, match=f"{name} holds records, or the answers to them"):
            check(str(tmp_path / name))
    storage.refuse_records(str(tmp_path / "predictions.csv"))


@pytest.mark.parametrize("error", [ValueError("x"), KeyboardInterrupt()])
@pytest.mark.parametrize("before", [None, b"the old content"])
def test_nothing_is_left_of_a_file_that_was_not_finished(tmp_path, error, before):
    path = tmp_path / "file"
    if before:
        path.write_bytes(before)

    def write() -> None:
        with storage.write_whole(str(path)) as file:
            file.write("half")
            raise error

    with pytest.raises(type(error)):
        write()
    assert [file.read_bytes() for file in tmp_path.iterdir()] == ([before] if before else [])


def test_lines_end_as_they_were_written(tmp_path):
    with storage.write_whole(str(tmp_path / "file")) as file:
        file.write("a\nb\r\n")
    assert (tmp_path / "file").read_bytes() == b"a\nb\r\n"


def test_a_link_stays_and_its_file_is_written(tmp_path):
    """Whether that file is there already or not, in one folder or in another."""
    (tmp_path / "there").mkdir()
    for target in ("there/new.csv", "old.csv"):
        (tmp_path / "old.csv").write_text("old")
        link = tmp_path / f"link-{os.path.basename(target)}"
        link.symlink_to(target)
        with storage.write_whole(str(link)) as file:
            file.write("new")
        assert link.is_symlink()
        assert (tmp_path / target).read_text() == "new"
        assert not list(tmp_path.rglob("*.tmp"))


def test_a_pipe_is_written_to(tmp_path):
    path, received = tmp_path / "pipe", []
    os.mkfifo(path)
    reader = threading.Thread(target=lambda: received.append(path.read_text()))
    reader.start()
    with storage.write_whole(str(path)) as file:
        file.write("한글\n")
    reader.join()
    assert received == ["한글\n"]
    assert path.is_fifo()


WRITES = """
import sys
from quickdraw import storage
print("before")
with storage.write_whole(sys.argv[1]) as file:
    file.write("content\\n")
print("after")
"""


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("{} /dev/stdout | cat", "before content after"),
        ("{} /dev/stdout > out.csv; cat out.csv", "before content after"),
        ("echo old > out.csv; {} /dev/stdout >> out.csv; cat out.csv", "old before content after"),
        ("{} /dev/fd/3 3> out.csv > rest; cat out.csv", "content"),
        ("{} /dev/stderr 2>&1 > rest", "content"),
        ("{} >(tr a-z A-Z > out.csv) > rest; sleep 0.5; cat out.csv", "CONTENT"),
    ],
)
def test_a_stream_of_the_shell_is_written_to(tmp_path, command, expected):
    program = f"{sys.executable} -c '{WRITES}'"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    done = subprocess.run(
        ["bash", "-c", command.format(program)],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == expected.split(), done.stderr


def test_a_device_is_never_replaced():
    assert paths._stream(os.devnull) == os.devnull


def test_a_folder_is_told_before_anything_is_written(tmp_path):
    with (
        pytest.raises(QuickdrawError, match="a file expected, and a folder is there"),
        storage.write_whole(str(tmp_path)),
    ):
        pytest.fail("must not be reached")


def test_a_file_goes_into_the_current_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with storage.write_whole("file") as file:
        file.write("x")
    assert (tmp_path / "file").read_text() == "x"


def test_a_folder_below_a_file_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(QuickdrawError, match="file/below: the folder cannot be made"):
        storage.make_folders(str(tmp_path / "file" / "below"))


# Reading


@pytest.mark.parametrize("name", ["missing", "."])
def test_what_cannot_be_opened_is_named(tmp_path, name):
    with pytest.raises(QuickdrawError, match=str(tmp_path)):
        storage.open_binary(str(tmp_path / name))


# Deleting, renaming


def test_deleting_takes_files_folders_and_what_is_not_there(folder):
    (folder / "below").mkdir()
    (folder / "below" / "file").write_text("x")
    for name in ("dataset.json", "below", "missing"):
        storage.delete(str(folder / name))
        assert not storage.exists(str(folder / name))
    assert len(storage.listdir(str(folder))) == 4


def test_renaming_replaces(folder):
    (folder / "new").write_text("new")
    storage.rename(str(folder / "new"), str(folder / "dataset.json"))
    assert (folder / "dataset.json").read_text() == "new"
    assert not storage.exists(str(folder / "new"))


# Places


@pytest.mark.parametrize(
    ("path", "expected"),
    [("gs://bucket/x", True), ("/data/x", False), ("x", False), ("C:x", False)],
)
def test_remote_paths_have_a_scheme(path, expected):
    assert storage.is_remote(path) is expected


def test_a_path_of_windows_is_no_folder_here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for path in (r"C:\runs\x", "d:/runs/x"):
        with pytest.raises(QuickdrawError, match="path of Windows: under WSL it is /mnt/[cd]/runs"):
            storage.make_folders(path)
    assert not any(tmp_path.iterdir())


def test_no_folder_is_called_tilde(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(QuickdrawError, match=r"~/x: the home folder is not meant by ~ here"):
        storage.make_folders("~/x")
    storage.make_folders("./~/x")
    assert [path.name for path in tmp_path.iterdir()] == ["~"]


# Pipes


def test_a_pipe_is_refused_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "train-0.tfrecord")
    with pytest.raises(QuickdrawError, match="a file expected. Received: a pipe"):
        storage.open_binary(str(tmp_path / "train-0.tfrecord"))
    with pytest.raises(QuickdrawError, match="a file expected"):
        storage.open_binary("/dev/zero")


def test_settings_may_come_through_a_pipe(tmp_path):
    os.mkfifo(tmp_path / "settings")
    text = (tmp_path / "settings").write_text
    writer = threading.Thread(target=text, args=('{"batch_size": 3}',), daemon=True)
    writer.start()
    assert storage.read_json(str(tmp_path / "settings")) == {"batch_size": 3}
    writer.join()


@pytest.mark.parametrize("path", ["gs:/bucket/run", "s3:/bucket/run", "https:/host/run", "file:/x"])
def test_no_folder_is_called_as_a_place_in_a_cloud(path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(QuickdrawError, match="gs://bucket/… expected"):
        storage.make_folders(path)
    with pytest.raises(QuickdrawError), storage.write_whole(f"{path}.csv"):
        pass
    assert os.listdir() == []


@pytest.mark.parametrize("bucket", ["B_", "My-Bucket", "_b", "b c", "-"])
def test_a_name_that_no_bucket_has_is_told(bucket):
    with pytest.raises(QuickdrawError, match="a bucket's name has small letters"):
        storage.exists(f"gs://{bucket}/x")


def test_no_file_is_called_as_standard_output(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(QuickdrawError, match="/dev/stdout"), storage.write_whole("-"):
        pass
    with storage.write_whole("./-") as file:
        file.write("x")
    assert os.listdir() == ["-"]


def test_an_error_of_the_disk_names_what_was_written_and_leaves_nothing(tmp_path):
    temporary = tmp_path / "tmp.best.keras"
    temporary.write_text("half")
    full = OSError(28, "No space left on device")
    with pytest.raises(OSError) as caught, storage.writing("run/best.keras", str(temporary)):
        raise full
    assert caught.value.filename == "run/best.keras"
    assert not temporary.exists()
    with pytest.raises(OSError, match="/x"), storage.writing("run"):
        raise OSError(28, "No space left on device", "/x")
