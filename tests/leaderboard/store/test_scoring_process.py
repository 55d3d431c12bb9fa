"""Scoring beside the server: large files in a process of its own, and what becomes of it."""

import subprocess
import threading
import time

import boarding
import pytest
from boarding import NOON, Clock, add_team, answers, entry, make_competition, send

from quickdraw.leaderboard.site.context import Limits
from quickdraw.leaderboard.store import scorer as scoring
from quickdraw.leaderboard.store import scoring_process

pytestmark = pytest.mark.slow


def until(done, seconds=30.0):
    end = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < end, "not scored"
        time.sleep(0.05)


def test_a_large_file_is_scored_in_a_process_that_ends(database):
    make_competition(database)
    team, _ = add_team(database, "Rabbits")
    big = answers() + b"x,0\n" * (scoring_process.LARGE // 4)
    number = send(database, team, big, key="big", score=False)
    told = []
    scorer = scoring.Scorer(database, Clock(NOON), told.append)
    scorer.start()
    until(lambda: entry(database, number).status != "queued")
    until(lambda: told == [number])
    until(lambda: scorer._processes[0]._process is None)
    scorer.stop()
    row = entry(database, number)
    assert row.status == "refused" and "2,097,152 faults" in row.error


def test_a_server_scores_beside_itself(sqlite):
    make_competition(sqlite)
    with boarding.serve(sqlite, Limits(score_beside=True)) as board:
        _, token = board.team("Rabbits")
        answer = board.browser().submit(token, answers(20))
        assert answer.status == 200 and answer.json["rank"] == 1
        (process,) = [each._process for each in board.context.scorer._processes if each._process]
        process.kill()  # another one takes its place
        assert board.browser().submit(token, answers(10)).json["score"] is not None
        assert board.context.scorer._processes[1]._process.pid != process.pid


def test_it_ends_with_whoever_started_it(sqlite):
    make_competition(sqlite)
    process = scoring_process.ScoringProcess(sqlite, lambda number: None, "small")
    told = []

    def score():
        try:
            process.score()
        except RuntimeError as error:
            told.append(str(error))

    thread = threading.Thread(target=score, daemon=True)
    thread.start()
    until(lambda: process._process is not None)
    child = process._process
    child.stdin.close()  # as when the server is killed
    assert child.wait(30) == 1
    thread.join(10)
    assert told == ["the process that scores ended with 1"]


def test_the_password_of_the_database_is_on_no_command_line(sqlite, monkeypatch):
    seen = []

    class Stop(Exception):
        pass

    def popen(command, **_):
        seen.extend(command)
        raise Stop

    monkeypatch.setattr(subprocess, "Popen", popen)
    process = scoring_process.ScoringProcess(sqlite, lambda number: None, "small")
    with pytest.raises(Stop):
        process.score()
    assert not any(str(sqlite.url.database) in word for word in seen)
