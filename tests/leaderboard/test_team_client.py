"""A team's program: its token, labels in another order, retries, gs://, and what it prints."""

import contextlib
import os
import socket
import threading

import boarding
import pytest
from boarding import answers

from quickdraw.errors import QuickdrawError, StoppedError, UsageError
from quickdraw.leaderboard import team_client as client
from quickdraw.leaderboard.commands import show_board, submit_predictions


@pytest.fixture(autouse=True)
def _alone(monkeypatch, tmp_path):
    monkeypatch.delenv(client.TOKEN, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setattr(client, "_FIRST_WAIT", 0.01)


def url(board):
    return f"http://127.0.0.1:{board.port}"


def sent(board, path, *more):
    return submit_predictions.main(
        ["submit", f"--url={url(board)}", f"--predictions={path}", *more]
    )


def test_a_token_comes_from_the_variable_or_a_file_of_ones_own(
    board, tmp_path, monkeypatch, capsys
):
    _, token = board.team("Rabbits")
    path = tmp_path / "predictions.csv"
    path.write_bytes(answers(20))
    assert sent(board, path) == 2
    assert "the page My entries makes one" in capsys.readouterr().err
    file = tmp_path / "token"
    file.write_text(f"{token}\n")
    file.chmod(0o644)
    assert sent(board, path, f"--token_file={file}") == 2
    assert f"Run: chmod 600 {file}" in capsys.readouterr().err
    file.chmod(0o600)
    assert sent(board, path, f"--token_file={file}", "--message=first") == 0
    said = capsys.readouterr()
    assert "entry 1: public top-1 " in said.out and ", rank 1" in said.out
    assert "entries left: 4 today, 19 in all" in said.out
    assert token not in said.out + said.err
    monkeypatch.setenv(client.TOKEN, token)
    assert sent(board, path) == 0
    monkeypatch.setenv(client.TOKEN, "qd_wrong")
    assert sent(board, path) == 1
    assert "the token of a team is needed" in capsys.readouterr().err


def test_the_file_in_the_home_is_found(board, tmp_path):
    _, token = board.team("Rabbits")
    home = tmp_path / "home"
    home.mkdir()
    (home / ".quickdraw_token").write_text(token)
    (home / ".quickdraw_token").chmod(0o600)
    assert client.token_from() == token


@pytest.mark.filterwarnings("ignore:unclosed <:ResourceWarning")
def test_file_and_token_come_from_a_bucket(board, server, capsys):
    _, token = board.team("Rabbits")
    server.store.put("b", "token", token.encode())
    server.store.put("b", "run/predictions.csv", answers(3))
    assert sent(board, "gs://b/run/predictions.csv", "--token_file=gs://b/token") == 0
    assert "entry 1" in capsys.readouterr().out


def test_faults_are_told_line_by_line_and_do_not_count(board, tmp_path, monkeypatch, capsys):
    _, token = board.team("Rabbits")
    monkeypatch.setenv(client.TOKEN, token)
    path = tmp_path / "p.csv"
    path.write_bytes(b"image_id,label\nid000,9\n")
    assert sent(board, path) == 1
    assert "the file, line 2: the label must be 0…3" in capsys.readouterr().err
    path.write_bytes(answers())
    assert sent(board, path) == 0
    assert "entries left: 4 today" in capsys.readouterr().out


def test_labels_in_another_order_are_sent_by_their_names(board, tmp_path, monkeypatch, capsys):
    _, token = board.team("Rabbits")
    own = boarding.LABELS[::-1]
    numbers = {key: own.index(boarding.LABELS[label]) for key, label in boarding.RIGHT.items()}
    path = tmp_path / "predictions.csv"
    path.write_bytes(boarding.rows(numbers))
    table = [f"{number},{name}" for number, name in enumerate(own)]
    (tmp_path / "predictions.labels.csv").write_text("\n".join(["label,name", *table]) + "\n")
    entry = client.submit(url(board), token, str(path))
    assert entry["score"] == 1.0
    assert "sent by their names" in capsys.readouterr().err
    (tmp_path / "predictions.labels.csv").write_text("label,name\n0,zebra\n1,cat\n2,dog\n3,sun\n")
    with pytest.raises(QuickdrawError, match="zebra"):
        client.submit(url(board), token, str(path))


def test_an_answer_that_is_lost_is_asked_for_again_and_counts_once(board, tmp_path):
    """A proxy that cuts the connection when the first answer of a submission comes."""
    _, token = board.team("Rabbits")
    path = tmp_path / "p.csv"
    path.write_bytes(answers())
    with cutting_proxy(board.port) as (port, cut):
        entry = client.submit(f"http://127.0.0.1:{port}", token, str(path))
    assert cut == [1] and entry["number"] == 1 and entry["left_today"] == 4


def test_a_file_that_is_too_large_is_told_in_the_servers_words(
    board, tmp_path, monkeypatch, capsys
):
    _, token = board.team("Rabbits")
    monkeypatch.setenv(client.TOKEN, token)
    path = tmp_path / "p.csv"
    path.write_bytes(os.urandom(8 << 20))  # as large when packed
    assert sent(board, path) == 1
    said = capsys.readouterr().err
    assert len(said.splitlines()) == 1 and "too large: at most 1 MB expected" in said


def test_a_server_that_closes_without_a_word_is_told_in_a_line(tmp_path, monkeypatch):
    monkeypatch.setattr(client, "_ATTEMPTS", 2)
    path = tmp_path / "large"
    path.write_bytes(b"a" * (8 << 20))
    with (
        closing_server() as port,
        open(path, "rb") as file,
        pytest.raises(StoppedError, match=r"^http://127.*cannot be reached \(.*\)$"),
    ):
        client.call(f"http://127.0.0.1:{port}", "/api/submissions", body=file)


@contextlib.contextmanager
def closing_server():
    listener = socket.create_server(("127.0.0.1", 0))

    def serve():
        with contextlib.suppress(OSError):
            while True:
                connection, _ = listener.accept()
                connection.recv(1000)
                connection.close()

    threading.Thread(target=serve, daemon=True).start()
    yield listener.getsockname()[1]
    listener.close()


@contextlib.contextmanager
def cutting_proxy(target):
    cut = []
    listener = socket.create_server(("127.0.0.1", 0))

    def serve():
        with contextlib.suppress(OSError):
            while True:
                one, _ = listener.accept()
                with one, socket.create_connection(("127.0.0.1", target)) as other:
                    pass_on(one, other)

    def pass_on(one, other):
        one.settimeout(0.2)
        data = b""
        with contextlib.suppress(TimeoutError):
            while part := one.recv(1 << 16):
                data += part
        other.sendall(data)
        answer = other.recv(1 << 20)
        if data.startswith(b"POST") and not cut:
            cut.append(1)
            return
        one.sendall(answer)
        other.settimeout(0.2)
        with contextlib.suppress(TimeoutError):
            while part := other.recv(1 << 16):
                one.sendall(part)

    threading.Thread(target=serve, daemon=True).start()
    yield listener.getsockname()[1], cut
    listener.close()


def test_a_server_that_is_not_there_is_told(monkeypatch):
    monkeypatch.setattr(client, "_ATTEMPTS", 2)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(StoppedError, match="cannot be reached"):
        client.call(f"http://127.0.0.1:{port}", "/api/board")
    with pytest.raises(UsageError, match="must begin with https://"):
        client.call("example.org", "/api/board")


def test_a_server_that_is_no_leaderboard_is_told(board):
    with pytest.raises(QuickdrawError, match="no leaderboard answers"):
        client.call(url(board), "/")
    with pytest.raises(QuickdrawError, match="no such page|Not Found"):
        client.call(url(board), "/api/nothing")


def test_the_board_is_printed(board, capsys):
    _, token = board.team("Rabbits")
    board.browser().submit(token, answers(20))
    board.context.forget()
    assert show_board.main(["board", f"--url={url(board)}"]) == 0
    head, names, row = capsys.readouterr().out.splitlines()
    assert head == "Camp, top-1" and names.split()[:2] == ["rank", "score"]
    assert row.split()[0] == "1" and row.endswith("Rabbits")
    assert show_board.main(["board"]) == 2
    assert "--url is needed" in capsys.readouterr().err


def test_what_came_of_an_entry_in_words():
    entry = {"number": 7, "status": "queued", "place": 3, "left_today": 1, "left_total": 2}
    entry["about"] = ""
    assert client.told(entry).splitlines()[0] == "entry 7: saved, in the queue, place 3"
    scored = {**entry, "status": "scored", "rank": None, "late": True, "score": 0.5}
    assert "late: it does not count" in client.told({**scored, "metric": "top-1"})
