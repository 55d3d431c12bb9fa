"""The organiser's commands, as they are typed: what they print, refuse, and leave behind."""

import csv
import io
import re
import subprocess
import sys

import boarding
import pytest
from boarding import answers

from quickdraw.leaderboard.__main__ import main
from quickdraw.leaderboard.commands import MODULES, run_demo
from quickdraw.leaderboard.store import competition, moments
from quickdraw.leaderboard.store.database import Database


def run(*words):
    return main(["leaderboard", *words])


@pytest.fixture
def camp(tmp_path, monkeypatch, capsys):
    """A folder with a solution, in which `create` was called."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "solution.csv").write_bytes(boarding.solution())
    table = [f"{number},{name}" for number, name in enumerate(boarding.LABELS)]
    (tmp_path / "solution.labels.csv").write_text("\n".join(["label,name", *table]) + "\n")
    (tmp_path / "p.csv").write_bytes(answers(40))
    code = run("create", "Camp", "--solution=solution.csv", "--time_zone=Asia/Seoul")
    assert code == 0
    assert "60 drawings public, 140 private" in capsys.readouterr().out
    return tmp_path


def opened(database="competition.db"):
    made = Database(database)
    contest = competition.load(made)
    made.close()
    return contest


def test_create_takes_what_it_is_told(camp, capsys):
    words = ["--public=50", "--daily_limit=3", "--total_limit=9", "--final_choices=1", "--ladder"]
    times = ["--start=2026-12-01 09:00", "--end=2026-12-05 18:00", "--time_zone=Asia/Seoul"]
    texts = ["--data_url=gs://b/data", "--description=A camp", "--metric=map3"]
    code = run(
        "create", "Two", "--solution=solution.csv", "--database=two.db", *words, *times, *texts
    )
    assert code == 0
    contest = opened("two.db")
    assert (contest.public_count, contest.daily_limit, contest.total_limit) == (100, 3, 9)
    assert contest.ladder and contest.metric == "map3" and contest.labels == boarding.LABELS
    assert moments.text(contest.ends, "Asia/Seoul") == "2026-12-05 18:00"
    link = re.search(r"http://localhost:8080/join/[\w-]{30,}", capsys.readouterr().out)
    assert link


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["create"], "a name, as the first word, and --solution are needed"),
        (["create", "X", "--solution=solution.csv"], "a competition is there"),
        (["create", "X", "--solution=nothing.csv", "--database=x.db"], "nothing.csv"),
        (["create", "X", "--solution=p.csv", "--database=x.db", "--end=soon"], "a time such as"),
        (["create", "X", "--solution=p.csv", "--database=x.db", "--public=100"], "--public"),
        (["teams"], "the first word says what to do"),
        (["teams", "add"], "a name is needed"),
        (["teams", "link", "Nobody"], "no team 'Nobody'"),
        (["teams", "remove", "Nobody"], "no team 'Nobody'"),
        (["teams", "add", "X", "--predictions=p.csv"], "for one team with --baseline"),
        (["teams", "import", "p.csv.gz"], "p.csv.gz"),
        (["export"], "--output is needed"),
        (["backup"], "--output is needed"),
        (["reveal"], "has not ended"),
        (["end", "--database=none.db"], "no such competition"),
        (["serve", "--database=none.db"], "no such competition"),
        (["submit"], "--url and --predictions are both needed"),
        (["nonsense"], "no command 'nonsense'"),
    ],
)
def test_a_mistake_is_told_in_a_line(camp, capsys, words, told):
    assert run(*words) in (1, 2)
    err = capsys.readouterr().err
    assert told in err and "Traceback" not in err and len(err.splitlines()) <= 2, err
    assert not (camp / "x.db-journal").exists()


def test_teams_are_added_listed_linked_and_removed(camp, capsys):
    assert run("teams", "add", "Rabbits", "--url=https://example.org/") == 0
    (_, row) = csv.reader(io.StringIO(capsys.readouterr().out))
    assert row[0] == "Rabbits" and row[1].startswith("https://example.org/join/")
    (camp / "class.csv").write_text("number,team\n1,토끼들\n2,=cmd\n", encoding="utf-8-sig")
    assert run("teams", "import", "class.csv") == 0
    rows = list(csv.reader(io.StringIO(capsys.readouterr().out)))
    assert [row[0] for row in rows] == ["team", "토끼들", "'=cmd"]
    assert run("teams", "remove", "Rabbits") == 0
    assert run("teams", "link", "토끼들") == run("teams", "organiser") == 0
    capsys.readouterr()
    assert run("teams", "list") == 0
    listed = list(csv.reader(io.StringIO(capsys.readouterr().out)))
    assert listed == [["team", "entries", "disqualified"], ["'=cmd", "0", ""], ["토끼들", "0", ""]]


def test_a_baseline_is_scored_at_once(camp, capsys):
    assert run("teams", "add", "CnnModel", "--baseline", "--predictions=p.csv") == 0
    database = Database("competition.db")
    (row,) = boarding.board_of(database)
    database.close()
    assert row.name == "CnnModel" and row.rank is None and 0.6 < row.score < 1
    (camp / "bad.csv").write_bytes(b"image_id,label\nx,1\n")
    capsys.readouterr()
    assert run("teams", "add", "Other", "--baseline", "--predictions=bad.csv") == 1
    assert "bad.csv: 201 faults" in capsys.readouterr().err


def test_the_end_the_reveal_and_what_is_kept(camp, capsys):
    run("teams", "add", "CnnModel", "--baseline", "--predictions=p.csv")
    assert run("end") == 0 and run("end") == 1
    assert run("reveal") == 0
    assert run("export", "--output=out") == 0
    names = {path.name for path in (camp / "out").rglob("*.csv")}
    assert {"final.csv", "board.csv", "1.csv"} <= names
    assert (camp / "out/submissions/1.csv").read_bytes() == answers(40)
    assert run("export", "--output=few", "--nofiles") == 0
    assert not (camp / "few/submissions").exists()
    assert run("backup", "--output=copies/b.db") == 0
    assert opened("copies/b.db") == opened()
    said = capsys.readouterr().out
    assert "competition.db: revealed" in said and "out: 6 files" in said


@pytest.mark.filterwarnings("ignore:unclosed <:ResourceWarning")
def test_copies_go_to_a_bucket_and_come_back(camp, server, capsys):
    assert run("backup", "--output=gs://b/copies/camp.db") == 0
    assert run("export", "--output=gs://b/out") == 0
    (camp / "restored.db").write_bytes(server.store.get("b", "copies/camp.db").data)
    assert opened("restored.db") == opened()
    assert server.store.get("b", "out/teams.csv") is not None


def test_the_demo_is_a_competition_of_ten(tmp_path, monkeypatch, capsys):
    """Its runs take minutes: here the teams' programs answer at random."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(run_demo, "_PER_CATEGORY", 30)
    asked = []

    def pretend(name, *flags):
        asked.append(name)
        given = dict(flag[2:].split("=", 1) for flag in flags)
        if name == "inference":
            solution = (tmp_path / "leaderboard_demo/data/solution.csv").read_text()
            rows = [line.split(",") for line in solution.splitlines()]
            answers = [f"{row[0]},{(int(row[1]) + len(asked) % 2) % 10}" for row in rows[1:]]
            (tmp_path / given["train_dir"]).mkdir(parents=True)
            text = "\n".join(["image_id,label", *answers]) + "\n"
            (tmp_path / given["train_dir"] / "predictions.csv").write_text(text)

    monkeypatch.setattr(run_demo, "_run", pretend)
    assert run("demo", "--noserve") == 0
    assert asked == ["train", "inference"] * 10
    said = capsys.readouterr().out
    assert "the board: http://localhost:8080/board" in said and "/join/" in said
    database = Database("leaderboard_demo/competition.db")
    board = boarding.board_of(database, moment=moments.now())
    database.close()
    assert len(board) == 10 and sum(row.baseline for row in board) == 2
    assert run("demo", "--noserve") == 0  # at once: everything is there
    assert len(asked) == 20


def test_the_demo_says_what_it_needs(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(run_demo.importlib.util, "find_spec", lambda name: None)
    assert run("demo") == 1
    assert "train with TensorFlow: pip install" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_run_of_the_demo_that_fails_is_told_in_a_line(monkeypatch):
    with pytest.raises(run_demo.QuickdrawError, match="quickdraw.score failed: .*nonsense"):
        run_demo._run("score", "--nonsense=1")


def test_a_wrong_first_word_is_told(capsys):
    assert run() == 2 and run("--help") == 0
    assert "create  serve  demo" in capsys.readouterr().out
    assert run("crate") == 2
    assert "Did you mean 'create'?" in capsys.readouterr().err


@pytest.mark.parametrize("name", MODULES)
def test_every_command_has_its_manual(name, capsys):
    assert run(name, "--help") == 0
    said = capsys.readouterr().out
    assert f"python -m quickdraw.leaderboard {name}" in said and "--config" in said


def test_the_server_and_all_commands_start_without_tensorflow(camp):
    code = (
        "import sys; from quickdraw.leaderboard.__main__ import main\n"
        "from quickdraw.leaderboard.commands import MODULES\n"
        "import importlib\n"
        "for name in MODULES.values():\n"
        "    importlib.import_module('quickdraw.leaderboard.commands.' + name)\n"
        "import quickdraw.leaderboard.site.board_app, quickdraw.leaderboard.store.scorer\n"
        "assert not {'tensorflow', 'keras'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
