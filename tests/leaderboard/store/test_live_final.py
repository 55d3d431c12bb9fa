"""Models in the place of predictions: entered, checked, handed over; the points come back."""

import io
import json
import re
import zipfile

import boarding
import pytest
from boarding import NOON, add_team, entry, send
from onnx_files import LABELS, onnx_file, without_softmax

from quickdraw.draw_off import entering, results_files
from quickdraw.draw_off.contest import Contest
from quickdraw.errors import QuickdrawError
from quickdraw.leaderboard import team_client as client
from quickdraw.leaderboard.__main__ import main
from quickdraw.leaderboard.site.context import Limits
from quickdraw.leaderboard.store import competition, entry_table, live_final, steering
from quickdraw.leaderboard.store.database import Database

pytest.importorskip("onnxruntime")
CATS, DOGS = onnx_file(favourite=0), onnx_file(favourite=1)
HEAD = "rank,model,points,hits,mean_log_probability,rounds,by,file"


def make_final(database):
    settings = {key: value for key, value in boarding.SETTINGS.items() if key != "labels"}
    return competition.create_live(database, "Final", {**settings, "metric": "draw_off"})


@pytest.fixture
def final(tmp_path):
    database = Database(str(tmp_path / "final.db"), create=True)
    make_final(database)
    yield database
    database.close()


def places(database):
    with database.reading() as connection:
        return live_final.places(connection)


def entrants(database):
    with database.reading() as connection:
        return [(row.name, row.id) for row in live_final.entrants(connection)]


def standings(*rows):
    """A standings.csv; each row is a file's digits, points, hits and mean logarithm."""
    lines = [f"1,name,{points},{hits},{log},2,file,{file}" for file, points, hits, log in rows]
    return "\n".join(["\ufeff" + HEAD, *lines]) + "\n"


def digits(database, number):
    return entry(database, number).file[:16]


def test_a_model_is_checked_and_what_is_wrong_with_it_is_told(final):
    team, _ = add_team(final, "Rabbits")
    good = entry(final, send(final, team, CATS))
    assert good.status == "scored" and re.fullmatch(r"3 classes, [\d.]+ ms a drawing", good.about)
    for bad, told in (
        (b"image_id,label\n", "no ONNX file, or not a whole one: model.onnx expected"),
        (CATS[: len(CATS) // 2], "no ONNX file, or not a whole one"),
        (onnx_file(change=without_softmax), "is a softmax missing"),
    ):
        row = entry(final, send(final, team, bad))
        assert row.status == "refused" and told in row.error and row.about == ""
    assert [(row.name, row.entries, row.rank) for row in places(final)] == [("Rabbits", 1, None)]


def test_the_chosen_model_takes_part_or_else_the_last_one(database):
    make_final(database)
    rabbits, foxes = (add_team(database, name)[0] for name in ("Rabbits", "Foxes"))
    first, second = (send(database, rabbits, each, moment=NOON) for each in (CATS, DOGS))
    other = send(database, foxes, DOGS)
    assert entrants(database) == [("Rabbits", second), ("Foxes", other)]
    with database.writing() as connection:
        entry_table.choose(connection, first, rabbits, True, NOON)
    third = send(database, rabbits, onnx_file(favourite=2))
    assert entrants(database) == [("Rabbits", first), ("Foxes", other)]
    assert third > second
    steering.disqualify(database, foxes, "a reason", NOON, "me")
    assert entrants(database) == [("Rabbits", first)]


def played(folder, to, answers):
    """A contest of the models of a folder, of a round; returns its standings.csv."""
    contest = Contest()
    found = entering.enter_all(contest, entering.files_of([], str(folder)), str(to))
    assert {event["by"] for event in found} == {"file"}
    models = [event["model"] for event in found]
    words = {"words": LABELS, "chosen": LABELS}
    contest.apply({"kind": "began", "models": models, **words, "rounds": 1})
    contest.apply({"kind": "joined", "player": "p1", "name": "Ada", "token": ""})
    contest.apply({"kind": "round", "round": 1, "word": "cat", "player": "p1"})
    for at in (1000, 2000):
        told = {}
        for event in found:
            word = answers[event["name"]]
            told[event["model"]] = {"top": [[word, 0.9]], "p": 0.9 if word == "cat" else 0.05}
        contest.apply({"kind": "answers", "round": 1, "at": at, "answers": told})
    contest.apply({"kind": "finished", "round": 1, "why": "time"})
    return results_files.as_csv(results_files.PLACES, results_files.places(contest))


def test_models_go_to_the_final_under_their_teams_names_and_their_points_come_back(
    final, tmp_path, monkeypatch, capsys
):
    names = ["=cmd|'/c calc'!A1", "고양이들과 아주 긴 이름을 가진 팀입니다 정말로", "As cats"]
    teams = [add_team(final, name)[0] for name in names]
    files = (DOGS, CATS, CATS)
    numbers = [send(final, team, data) for team, data in zip(teams, files, strict=True)]
    database = f"--database={final.url.database}"
    monkeypatch.chdir(tmp_path)
    assert main(["leaderboard", "final", "--models=handed_in", database]) == 0
    said = capsys.readouterr().out
    assert "2 models; next: python -m quickdraw.draw_off --models=handed_in" in said
    assert {path.name for path in (tmp_path / "handed_in").iterdir()} == {
        *("entrants.json", f"{numbers[0]}.onnx", f"{numbers[1]}.onnx")
    }
    assert main(["leaderboard", "final", "--models=handed_in", database]) == 1
    assert "it is there already" in capsys.readouterr().err
    cats = f"{names[1]} & {names[2]}"
    short = {names[0]: "dog", cats[:24].strip(): "cat"}
    (tmp_path / "standings.csv").write_text(played(tmp_path / "handed_in", tmp_path, short))
    assert main(["leaderboard", "final", "--results=standings.csv", database]) == 1
    assert "end it first" in capsys.readouterr().err
    assert main(["leaderboard", "end", database]) == 0
    assert main(["leaderboard", "final", "--results=standings.csv", database]) == 0
    assert "the points of 3 teams are on the board" in capsys.readouterr().out
    assert [(row.rank, row.name, row.points, row.hits) for row in places(final)] == [
        (1, names[1], 104.0, 1),
        (1, names[2], 104.0, 1),
        (3, names[0], -9.5, 0),
    ]
    steering.reveal(final, NOON, "me")  # once more: it is there already
    with pytest.raises(QuickdrawError, match="revealed"):
        steering.change(final, {"daily_limit": "3"}, NOON, "me")


def test_equal_points_are_parted_by_the_logarithm_and_a_baseline_has_no_rank(final):
    teams = [add_team(final, name)[0] for name in ("A", "B", "C")]
    teams.append(add_team(final, "Base", baseline=True)[0])
    models = [onnx_file(seed=number) for number in range(4)]
    numbers = [send(final, team, model) for team, model in zip(teams, models, strict=True)]
    late, _ = add_team(final, "Was not there")
    send(final, late, onnx_file(seed=9))
    steering.end(final, NOON, "me")
    marks = [digits(final, number) for number in numbers]
    results = ((10.0, 1, -0.5), (10.0, 2, -0.4), (10.0, 1, -0.5), (50.0, 3, -0.1))
    rows = [(mark, *each) for mark, each in zip(marks, results, strict=True)]
    count = live_final.take_results(final, standings(*rows), "s.csv", NOON, "me")
    assert count == 4
    found = [(row.rank, row.name) for row in places(final)]
    assert found[:2] == [(None, "Base"), (1, "B")] and found[4] == (None, "Was not there")
    assert sorted(found[2:4]) == [(2, "A"), (2, "C")]
    again = standings((marks[0], 1.0, 0, -3.0))
    assert live_final.take_results(final, again, "s.csv", NOON, "me") == 1
    assert [row.points for row in places(final) if row.points is not None] == [1.0]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "s.csv: standings.csv of quickdraw.draw_off expected. It has no column file"),
        ("rank,team,score\n1,A,0.9\n", "It has no column file"),
        (HEAD + "\n", "s.csv: no model is in it"),
        (standings(("0" * 16, "nan", 1, -1)), "line 2: not a row"),
        (standings(("0" * 16, 1, 1, "nan")), "line 2: not a row"),
        (standings(("0" * 16, 1, "many", -1)), "line 2: not a row"),
        (standings(("0" * 16, 1, 1, -1), ("'=1+1", 1, 1, -1)), "line 3: not a row"),
        (standings(("0" * 16, 1, 1, -1)), "none of these models is a team's"),
    ],
)
def test_what_is_no_result_is_refused_and_changes_nothing(final, text, told):
    send(final, add_team(final, "A")[0], CATS)
    steering.end(final, NOON, "me")
    with pytest.raises(QuickdrawError) as error:
        live_final.take_results(final, text, "s.csv", NOON, "me")
    assert told in str(error.value)
    assert competition.load(final).revealed is None and places(final)[0].points is None


def test_only_a_live_final_has_results_and_only_results_reveal_it(final, tmp_path):
    steering.end(final, NOON, "me")
    with pytest.raises(QuickdrawError, match="the points of the final reveal it"):
        steering.reveal(final, NOON, "me")
    with pytest.raises(QuickdrawError, match="no team has a model yet"):
        live_final.write_models(final, io.BytesIO())
    other = Database(str(tmp_path / "other.db"), create=True)
    boarding.make_competition(other)
    with pytest.raises(QuickdrawError, match="made with --kind=draw_off"):
        live_final.take_results(other, standings(("0" * 16, 1, 1, -1)), "s", NOON, "me")
    other.close()


@pytest.fixture
def room(final):
    with boarding.serve(final, Limits(size=1 << 20)) as running:
        yield running


def test_the_pages_from_the_model_to_the_points(room):
    rabbits, _ = room.team("Rabbits")
    assert "32 MB" in room.browser().get("/").text
    assert "No team has a model yet" in room.browser().get("/board").text
    page = rabbits.get("/entries")
    fields = {"csrf": page.field("csrf"), "key": page.field("key")}
    assert "3 classes, " in rabbits.post("/entries", **fields, file=CATS).text
    organiser = room.enter(None)
    archive = zipfile.ZipFile(io.BytesIO(organiser.get("/organiser/final/models").body))
    assert json.loads(archive.read("entrants.json")) == {"1.onnx": "Rabbits"}
    assert archive.read("1.onnx") == CATS == organiser.get("/organiser/entries/1/file").body
    assert rabbits.get("/organiser/final/models").status == 404
    csrf = organiser.csrf("/organiser")
    result = standings((digits(room.database, 1), 91.3, 1, -0.1)).encode()
    told = organiser.post("/organiser/final/results", csrf=csrf, file=result)
    assert told.status == 400 and "end it first" in told.text
    organiser.post("/organiser/end", csrf=csrf)
    for path in ("/", "/entries"):
        assert "A model that comes now does not take part" in rabbits.get(path).text
    assert "Reveal the result" not in organiser.get("/organiser").text
    board = organiser.post("/organiser/final/results", csrf=csrf, file=result)
    assert board.status == 200 and "91.3" in board.text and "Rabbits" in board.text
    for path in ("/", "/board", "/organiser", "/organiser/teams/1", "/organiser/log"):
        organiser.headers["Accept-Language"] = "ko"
        assert organiser.get(path).status == 200
    assert "클래스 3개" in organiser.get("/organiser/teams/1").text


def test_the_command_line_sends_a_model_and_shows_the_points(
    room, board, tmp_path, monkeypatch, capsys
):
    url = f"--url=http://127.0.0.1:{room.port}"
    _, token = room.team("Rabbits")
    monkeypatch.setenv(client.TOKEN, token)
    (tmp_path / "model.onnx").write_bytes(CATS)
    (tmp_path / "p.csv").write_bytes(boarding.answers())
    model, csv = f"--model={tmp_path}/model.onnx", f"--predictions={tmp_path}/p.csv"
    assert main(["leaderboard", "submit", url, model]) == 0
    said = capsys.readouterr().out
    told = r"entry 1: accepted, 3 classes, [\d.]+ ms a drawing\nentries left: 4 today"
    assert re.match(told, said)
    assert main(["leaderboard", "submit", url, csv]) == 1
    assert "Final takes models: --model" in capsys.readouterr().err
    assert main(["leaderboard", "submit", url, csv, model]) == 2
    other = f"--url=http://127.0.0.1:{board.port}"
    assert main(["leaderboard", "submit", other, model]) == 1
    assert "Camp takes predictions: --predictions" in capsys.readouterr().err
    assert main(["leaderboard", "board", url]) == 0
    assert capsys.readouterr().out.splitlines()[-1].endswith("Rabbits")
    steering.end(room.database, NOON, "me")
    row = (digits(room.database, 1), 91.3, 4, -0.1)
    live_final.take_results(room.database, standings(row), "s.csv", NOON, "me")
    room.context.forget()
    assert main(["leaderboard", "board", url]) == 0
    head, names, line = capsys.readouterr().out.splitlines()
    assert head == "Final, points, final" and names.split()[:3] == ["rank", "points", "hits"]
    assert line.split()[:3] == ["1", "91.3", "4"]


def test_create_makes_one_and_says_what_does_not_go_with_it(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for flag in ("--solution=s.csv", "--metric=map3", "--public=50", "--ladder"):
        assert main(["leaderboard", "create", "F", "--kind=draw_off", flag]) == 2
        assert "is for --kind=predictions" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
    assert main(["leaderboard", "create", "G", "--kind=draw_off", "--database=g.db"]) == 0
    assert "next: python -m quickdraw.leaderboard serve --database=g.db" in capsys.readouterr().out
    assert main(["leaderboard", "teams", "organiser", "--database=g.db"]) == 0
    (tmp_path / "g.db").unlink()
    assert main(["leaderboard", "create", "F", "--kind=draw_off", "--daily_limit=3"]) == 0
    assert "F: for models, which meet in a live final" in capsys.readouterr().out
    assert main(["leaderboard", "final"]) == 2
    assert main(["leaderboard", "export", "--output=out"]) == 0
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        *("board.csv", "teams.csv", "submissions.csv", "events.csv")
    }
