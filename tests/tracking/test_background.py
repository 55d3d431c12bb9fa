"""What sends in the background is not waited for, and its failures are told, not raised."""

import threading

import pytest

from quickdraw.errors import QuickdrawError
from quickdraw.tracking import background
from quickdraw.tracking.background import Background


class Server:
    """Notes what it gets; fails while `away`; answers when `answers` is set."""

    def __init__(self):
        self.got, self.away, self.asked = [], None, threading.Semaphore(0)
        self.answers = threading.Event()
        self.answers.set()

    def send(self, what):
        self.asked.release()
        self.answers.wait(10)
        if self.away:
            raise self.away
        self.got.append(what)


@pytest.fixture
def server():
    return Server()


def test_what_it_is_asked_while_it_is_busy_is_done_once(server, capfd):
    server.answers.clear()
    sender = Background(server.send, "again")
    sender.ask("a")
    assert server.asked.acquire(timeout=10)
    for what in "bcd":  # none of these waits
        sender.ask(what)
    server.answers.set()
    sender.close("e")
    assert server.got in (["a", "e"], ["a", "d", "e"])
    assert capfd.readouterr().err == ""


def test_a_server_that_is_away_is_told_of_once_and_gets_all_at_the_end(server, capfd, monkeypatch):
    monkeypatch.setattr(background, "_PAUSE", 0.0)
    server.away = QuickdrawError("MLflow at http://x: nobody answers there")
    sender = Background(server.send, "again")
    for what in "abc":
        sender.ask(what)
        assert server.asked.acquire(timeout=10)
    server.away = None
    sender.close("d")
    assert server.got[-1] == "d"
    told = capfd.readouterr().err
    assert told.count("nobody answers there. The work goes on; what is not sent is kept") == 1
    assert "not all of it was sent" not in told


def test_after_a_failure_it_is_left_alone_for_a_while(server):
    server.away = QuickdrawError("no")
    sender = Background(server.send, "again")
    sender.ask("a")
    assert server.asked.acquire(timeout=10)
    for _ in range(5):
        sender.ask("b")
    assert not server.asked.acquire(timeout=0.2)
    server.away = None
    sender.close("c")
    assert server.got == ["c"]


@pytest.mark.parametrize("error", [QuickdrawError("no"), ZeroDivisionError("a bug")])
def test_what_could_not_be_sent_has_a_command(server, capfd, error):
    server.away = error
    Background(server.send, "python -m quickdraw.track").close("a")
    told = capfd.readouterr().err
    assert str(error) in told and "Traceback" not in told
    assert told.endswith("not all of it was sent. To send it later: python -m quickdraw.track\n")


def test_one_that_hangs_is_not_waited_for(server, capfd, monkeypatch):
    monkeypatch.setattr(background, "_HURRY", 0.1)
    server.answers.clear()
    Background(server.send, "again").close("a", in_a_hurry=True)
    assert "not all of it was sent" in capfd.readouterr().err
    server.answers.set()
