"""Load and kills, small: what scripts/leaderboard_trial.py does at length."""

import gzip
import zlib
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"
pytestmark = [
    pytest.mark.slow,
    # The crowd's connections are still closing when its loop ends.
    pytest.mark.filterwarnings("ignore:unclosed <:ResourceWarning"),
    pytest.mark.skipif(not SCRIPTS.is_dir(), reason="needs the checkout"),
]


@pytest.fixture
def trials(monkeypatch):
    monkeypatch.syspath_prepend(str(SCRIPTS))
    monkeypatch.setenv("PYTHONPATH", str(SCRIPTS.parent))
    from trials import kills, load

    return load, kills


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request, tmp_path):
    if request.param == "postgresql":
        return request.getfixturevalue("cluster").new()
    return str(tmp_path / "trial.db")


def test_a_crowd_is_answered_and_scored_right(trials, url, tmp_path):
    load, _ = trials
    told = load.run(url, str(tmp_path / "log"), lines=500, teams=10, files=3, people=5, seconds=2)
    assert told["wrong"] == []
    assert told["acknowledged"] == 30 and told["board, requests"] > 5


def test_three_kills_lose_nothing(trials, url, tmp_path):
    _, kills = trials
    told = kills.run(url, str(tmp_path / "log"), lines=300, teams=6, people=3, rounds=3, alive=1.0)
    assert told["wrong"] == []
    assert told["kills"] == 3 and told["acknowledged"] >= 18
    assert told["refused by the limit"] > 0


def test_the_check_notices_what_is_wrong(trials, tmp_path):
    """A check that cannot fail would say nothing."""
    from trials import checks, crowd, hosting

    from quickdraw.leaderboard.store import schema

    database, ids, _ = hosting.make(str(tmp_path / "t.db"), 100, 2, 2)
    sendings = crowd.prepare(ids, 2, 2)
    sendings[0].number = 7
    assert checks.wrong(database, sendings, 2) == ["lost: 0-0"]
    from boarding import send

    for each in sendings:
        content = gzip.decompress(each.body)
        each.number = send(database, each.team + 1, content, key=each.key, moment=1)
    assert checks.wrong(database, sendings, 2) == []
    assert len(checks.wrong(database, sendings, 1)) == 2
    with database.writing() as connection:
        changed = schema.submissions.update().where(schema.submissions.c.id == 1)
        connection.execute(changed.values(public_points=1))
        file = connection.execute(schema.submissions.select()).first().file
        empty = schema.chunks.update().where(schema.chunks.c.file == file)
        connection.execute(empty.values(data=zlib.compress(b"")))
    database.close()
    told = checks.wrong(database, sendings, 2)
    assert any("scikit-learn" in each for each in told)
    assert any("half a file" in each for each in told)
    database.close()
