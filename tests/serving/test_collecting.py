"""What is kept of those who agree, and of nobody else."""

from __future__ import annotations

import csv
import errno
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from quickdraw.datasets.doodles.draw import draw
from quickdraw.errors import QuickdrawError
from quickdraw.serving import collecting, sessions
from quickdraw.serving.collecting import COLUMNS, Collector, NotKeptError

DRAWING = draw("cake", np.random.default_rng(0))
ME, OTHER = "0123456789abcdef" * 2, "f" * 32


def raw(strokes: list) -> list:
    """Strokes as a pen gives them: with times, in another unit."""
    return [[[x * 3.1 for x in xs], ys, [*range(len(xs))]] for xs, ys in strokes]


@pytest.fixture
def collector(tmp_path) -> Collector:
    return Collector(str(tmp_path / "sessions"))


@pytest.fixture
def collecting_client(served, collector):
    testclient = pytest.importorskip("fastapi.testclient")
    from quickdraw.serving import app
    from quickdraw.serving.guards import Hosts

    made = app.make(served, Hosts(["testserver"]), collector=collector)
    with testclient.TestClient(made) as asking:
        yield asking


def files(collector: Collector) -> list[str]:
    return sorted(path.name for path in Path(collector.folder).rglob("*") if path.is_file())


def keep(word: str | None = "cat", session: str = ME, drawing: int = 0, seconds=1.5) -> dict:
    return {"session": session, "drawing": drawing, "word": word, "seconds": seconds}


def test_of_each_guess_a_row_for_each_model(collecting_client, served, collector):
    with collecting_client.websocket_connect("/ws") as socket:
        socket.send_json({"seq": 1, "strokes": DRAWING})
        assert "kept" not in socket.receive_json()
        assert files(collector) == []
        socket.send_json({"seq": 2, "strokes": DRAWING, "top_k": 4, "keep": keep()})
        answer = socket.receive_json()
        assert answer["kept"] is True
    with open(Path(collector.folder, "guesses", f"{ME}.csv"), newline="") as file:
        head, *rows = csv.reader(file)
    assert head == [*COLUMNS] and [row[5] for row in rows] == ["cnn", "rnn"]
    for row, model in zip(rows, served.all, strict=True):
        found = dict(zip(COLUMNS, row, strict=True))
        top = answer["models"][model.name]
        assert found["guess"] == top[0][0]
        assert float(found["probability"]) == pytest.approx(top[0][1], abs=1e-6)
        rank = [label for label, _ in top].index("cat") + 1
        assert (found["rank"], found["word"], found["seconds"]) == (str(rank), "cat", "1.5")
        assert (found["session"], found["drawing"], found["step"]) == (ME, "0", "7")
        assert int(found["points"]) == sum(len(stroke[0]) for stroke in DRAWING)


def test_who_wants_it_is_forgotten(collecting_client, collector):
    for session in (ME, OTHER):
        drawing = {"session": session, "drawing": 0, "word": "cat", "strokes": raw(DRAWING)}
        assert collecting_client.post("/api/drawings", json=drawing).json() == {"kept": True}
        collecting_client.post("/api/guess", json={"drawing": DRAWING, "keep": keep(None, session)})
    assert len(files(collector)) == 4
    assert collecting_client.delete(f"/api/drawings/{ME}").status_code == 200
    assert files(collector) == [f"{OTHER}.csv", f"{OTHER}.ndjson"]
    late = collecting_client.post("/api/guess", json={"drawing": DRAWING, "keep": keep()})
    assert late.status_code == 200 and late.json()["kept"] is False
    assert len(files(collector)) == 2


def test_a_server_that_keeps_nothing_says_so(client):
    drawing = {"session": ME, "drawing": 0, "word": "cat", "strokes": raw(DRAWING)}
    answer = client.post("/api/drawings", json=drawing)
    assert answer.status_code == 404 and "keeps no drawings" in answer.json()["detail"]
    assert client.delete(f"/api/drawings/{ME}").status_code == 404
    answer = client.post("/api/guess", json={"drawing": DRAWING, "keep": keep()})
    assert answer.json()["kept"] is False
    assert client.get("/api/models").json()["collects"] is False


GOOD = {"session": ME, "drawing": 0, "word": "cat", "strokes": [[[1, 2], [3, 4], [0, 9]]]}
BAD = [
    {},
    {**GOOD, "session": "../../../etc/passwd"},
    {**GOOD, "session": ME.upper()},
    {**GOOD, "session": ME + "\n"},
    {**GOOD, "session": None},
    {**GOOD, "session": [ME]},
    {**GOOD, "word": "=HYPERLINK(1)"},
    {**GOOD, "word": None},
    {**GOOD, "word": ["cat"]},
    {**GOOD, "drawing": -1},
    {**GOOD, "drawing": 10**30},
    {**GOOD, "drawing": "0"},
    {**GOOD, "strokes": []},
    {**GOOD, "strokes": [[[1], [2], [3]]]},
    {**GOOD, "strokes": [[[1, float("nan")], [3, 4], [0, 9]]]},
    {**GOOD, "strokes": [[[1, 10**400], [3, 4], [0, 9]]]},
    {**GOOD, "strokes": [[[1, 2], [3, 4], ["a", 9]]]},
    {**GOOD, "strokes": [[[1, 2], [3, 4], [0, float("nan")]], [[5, 6], [7, 8]]]},
    {**GOOD, "strokes": [[[1, 2], [3, 4], [0, 10**400]]]},
    {**GOOD, "strokes": "cat"},
]


@pytest.mark.parametrize("sent", BAD)
def test_what_cannot_be_kept_is_refused_in_a_line(sent, collecting_client, collector):
    answer = collecting_client.post("/api/drawings", content=json.dumps(sent))
    assert answer.status_code == 400 and "\n" not in answer.json()["detail"]
    assert files(collector) == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"session": "a"}, {"drawing": None}, {"word": "unicorn"}, {"word": 7},
        {"seconds": -1}, {"seconds": float("nan")}, {"seconds": "1"},
    ],
)  # fmt: skip
def test_a_guess_that_cannot_be_kept_is_refused(wrong, collecting_client, collector):
    sent = json.dumps({"drawing": DRAWING, "keep": {**keep(), **wrong}})
    answer = collecting_client.post("/api/guess", content=sent)
    assert answer.status_code == 400, answer.json()
    assert files(collector) == []


def test_other_pages_can_neither_give_nor_delete(collecting_client, collector):
    headers = {"Origin": "http://evil.example"}
    assert collecting_client.post("/api/drawings", json=GOOD, headers=headers).status_code == 403
    path = f"/api/drawings/{ME}"
    assert collecting_client.delete(path, headers=headers).status_code == 403
    assert collecting_client.delete("/api/drawings/..%2f..%2fx").status_code in (400, 404)
    for origin in ("http://evil.example", "null"):  # a form of any page can send text
        headers = {"Origin": origin, "Content-Type": "text/plain"}
        asked = json.dumps({"drawing": DRAWING, "keep": keep()})
        answer = collecting_client.post("/api/guess", content=asked, headers=headers)
        assert (answer.status_code, answer.json()["title"]) == (403, "Forbidden")
    assert files(collector) == []


def test_a_full_disk_is_one_message_and_guessing_goes_on(
    collecting_client, collector, monkeypatch, capsys
):
    ask = {"drawing": DRAWING, "keep": keep()}
    assert collecting_client.post("/api/guess", json=ask).json()["kept"] is True
    path = Path(collector.folder, "guesses", f"{ME}.csv")
    before, write = path.read_bytes(), os.write

    def half(file, data):
        write(file, data[:20])
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", half)
        for _ in range(3):
            answer = collecting_client.post("/api/guess", json=ask)
            assert answer.status_code == 200 and answer.json()["kept"] is False
        answer = collecting_client.post("/api/drawings", json=GOOD)
        assert (answer.status_code, answer.headers["retry-after"]) == (429, "60")
    assert path.read_bytes() == before
    assert capsys.readouterr().err.count("(the disk is full)") == 1
    for _ in range(3):  # a short line finds room between two long ones that find none
        assert collecting_client.post("/api/guess", json=ask).json()["kept"] is True
        with monkeypatch.context() as patch:
            patch.setattr(os, "write", half)
            assert collecting_client.post("/api/drawings", json=GOOD).status_code == 429
    assert capsys.readouterr().err == ""
    monkeypatch.setattr(collecting, "QUIET_SECONDS", -1)
    assert collecting_client.post("/api/guess", json=ask).json()["kept"] is True
    assert capsys.readouterr().err.count("drawings are kept again") == 1


def test_it_is_bounded(collector, monkeypatch):
    monkeypatch.setattr(collecting, "MOST_OF_A_SESSION", 100)
    collector.drawing(ME, "x" * 90)
    with pytest.raises(NotKeptError, match="a session keeps at most"):
        collector.drawing(ME, "x" * 90)
    with monkeypatch.context() as patched:
        patched.setattr(collecting, "MOST_SESSIONS", 1)
        with pytest.raises(NotKeptError, match="no room"):
            collector.drawing(OTHER, "x")
        for session in (OTHER, "a" * 32):
            collector.forget(session)
        assert [*collector._gone] == ["a" * 32]
    monkeypatch.setattr(collecting, "MOST", 150)
    with pytest.raises(NotKeptError, match="no room"):
        collector.drawing(OTHER, "x" * 90)
    again = Collector(collector.folder)
    with pytest.raises(NotKeptError, match="a session keeps at most"):
        again.drawing(ME, "x" * 90)


def test_a_torn_line_is_cut_off_at_the_start(collector):
    collector.drawing(ME, '{"word": "cat"}')
    path = Path(collector.folder, "drawings", f"{ME}.ndjson")
    path.write_text(path.read_text() + '{"word": "c')
    Collector(collector.folder)
    assert path.read_text() == '{"word": "cat"}\n'


def test_a_folder_that_cannot_be_written_is_said(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(QuickdrawError, match="--collect: .*file"):
        Collector(str(tmp_path / "file"))


def test_kill_leaves_no_torn_line(tmp_path):
    code = (
        "import sys; from quickdraw.serving.collecting import Collector; "
        "c = Collector(sys.argv[1]); i = 0\n"
        "while True: c.drawing('a' * 32, '{\"a\": \"' + 'x' * (i % 3000) + '\"}'); i += 1"
    )
    path, count = tmp_path / "drawings" / ("a" * 32 + ".ndjson"), 0
    for _ in range(3):
        process = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)])
        while not path.exists() or path.read_bytes().count(b"\n") < count + 50:
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        process.wait()
        Collector(str(tmp_path))
        lines = path.read_text().split("\n")
        assert lines.pop() == ""
        count = len([json.loads(line) for line in lines])


@pytest.mark.slow
def test_a_class_trains_on_its_own_drawings(collecting_client, collector, tmp_path):
    """As docs/en/play.md shows it: what the page keeps, `prepare` reads, `train` learns."""
    from quickdraw.datasets import prepare
    from quickdraw.training import Settings, fit

    rng = np.random.default_rng(1)
    for number in range(60):
        word = ("cat", "sun", "dog")[number % 3]
        doodle = raw(draw({"cat": "cake", "sun": "pig", "dog": "ants"}[word], rng))
        sent = {"session": ME, "drawing": number, "word": word, "strokes": doodle}
        assert collecting_client.post("/api/drawings", json=sent).status_code == 200
    (kept,) = Path(collector.folder, "drawings").iterdir()
    assert "recognized" not in json.loads(kept.read_text().splitlines()[0])  # nobody has judged
    flags = [f"--source={collector.folder}/drawings", f"--output_dir={tmp_path}/own"]
    flags.append("--recognized_only")
    assert prepare.main(["prepare", *flags, "--processes=1"]) == 0
    info = json.loads((tmp_path / "own/dataset.json").read_text())
    assert sorted(info["labels"]) == ["cat", "dog", "sun"]
    assert sum(split["records"] for split in info["splits"].values()) == 60
    fit(
        Settings(
            train_data_pattern=f"{tmp_path}/own/train-*",
            eval_data_pattern=f"{tmp_path}/own/valid-*",
            train_dir=str(tmp_path / "run"),
            batch_size=10,
            num_epochs=2.0,
        )
    )
    assert json.loads((tmp_path / "run/run.json").read_text())["finished_step"]


ROWS = [
    # drawing, word, seconds, model, guess, rank
    (1, "cat", 0.5, "a", "cat", 1),  # the first second does not count
    (1, "cat", 1.2, "a", "cat", 1),
    (1, "cat", 1.2, "b", "dog", 2),
    (1, "cat", 1.5, "a", "dog", 2),
    (1, "cat", 1.5, "b", "cat", 1),
    (1, "cat", 2.0, "a", "cat", 1),
    (1, "cat", 2.0, "b", "cat", 1),  # b has it
    (1, "cat", 2.5, "a", "cat", 1),  # and a
    (1, "cat", 2.9, "b", "dog", 2),  # and ends with another guess
    (2, "sun", 1.5, "a", "sun", 1),
    (2, "sun", 1.5, "b", "dog", None),  # does not know the word
    (2, "sun", 2.0, "a", "sun", 1),
    (3, "", None, "a", "sun", None),  # nothing was asked
]


def test_scores_are_made_of_the_files_alone(collector, capsys, tmp_path):
    from quickdraw import serve

    for drawing, word, seconds, model, guess, rank in ROWS:
        row = ["t", ME, drawing, word, seconds, model, 7, guess, 0.5, rank, 1.0, 9]
        collector.guesses(ME, [row])
    found = {one.model: one for one in sessions.score(collector.folder)}
    assert found["a"] == sessions.ModelScore("a", 2, 2, 1, 2, 2.25)
    assert found["b"] == sessions.ModelScore("b", 1, 1, 1, 0, 2.0)
    table = tmp_path / "scores.csv"
    assert serve.main(["serve", "score", collector.folder, f"--output_file={table}"]) == 0
    told = capsys.readouterr().out.splitlines()
    assert [line.split()[:3] for line in told] == [
        ["model", "drawings", "guessed"], ["a", "2", "2"], ["b", "1", "1"],
    ]  # fmt: skip
    assert table.read_text().splitlines()[1] == "a,2,2,1,2,2.25"


def test_a_line_that_is_being_written_is_left_out(collector):
    collector.guesses(ME, [["t", ME, 1, "cat", 1.5, "a", 7, "cat", 0.5, 1, 1.0, 9]])
    path = Path(collector.folder, "guesses", f"{ME}.csv")
    path.write_text(path.read_text() + "t,0123,1,ca")
    assert sessions.score(collector.folder)[0].drawings == 1


@pytest.mark.parametrize("content", ["a,b\n", f"{','.join(COLUMNS)}\n1,2\n"])
def test_a_damaged_file_is_named(content, tmp_path, capsys):
    from quickdraw import serve

    (tmp_path / "guesses").mkdir()
    (tmp_path / "guesses/x.csv").write_text(content)
    assert serve.main(["serve", "score", str(tmp_path)]) == 1
    assert "x.csv, line" in capsys.readouterr().err
    assert serve.main(["serve", "score", str(tmp_path / "none")]) == 1
    assert "guesses/*.csv expected" in capsys.readouterr().err
    assert serve.main(["serve", "score"]) == 2
