"""What strangers send: refused in a line, nothing written, nobody else disturbed."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from quickdraw.draw_off import desk
from quickdraw.draw_off.rules import Rules

testclient = pytest.importorskip("fastapi.testclient")
pytest.importorskip("segno")
disconnects = pytest.importorskip("starlette.websockets")

CODE, TOKEN = "the-code", "the-token"


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "contest"


@pytest.fixture
def client(folder, runs) -> Iterator:
    from quickdraw.draw_off.contest_app import ContestServer, make_contest_app
    from quickdraw.draw_off.director import Director
    from quickdraw.draw_off.event_log import EventLog
    from quickdraw.serving.guards import Hosts

    folder.mkdir()
    log = EventLog(str(folder / "events.jsonl"))
    opened = {
        "kind": "opened",
        "format": 1,
        "rules": vars(Rules()),
        "organiser": desk.hashed(TOKEN),
        "code": CODE,
    }
    log.append(opened)
    log.events.append(opened)
    director = Director(log, str(folder))
    hosts, address = Hosts(["testserver"]), ("127.0.0.1", 1)
    server = ContestServer(director, str(folder), hosts, "", address, str(runs))
    with testclient.TestClient(make_contest_app(server)) as asking:
        yield asking


def written(folder) -> list:
    lines = (folder / "events.jsonl").read_text("utf-8").splitlines()
    return [json.loads(line)["kind"] for line in lines]


def greeted(client, **hello):
    """The first answer to a greeting."""
    with client.websocket_connect("/ws") as socket:
        socket.send_json(hello)
        return socket.receive_json()


HELLOS = {
    "no role": {},
    "a role of one's own": {"role": "god"},
    "a role that is a list": {"role": ["organiser"]},
    "no token": {"role": "organiser"},
    "the code for the token": {"role": "organiser", "token": CODE},
    "the token's hash": {"role": "organiser", "token": desk.hashed(TOKEN)},
    "a token that is none": {"role": "organiser", "token": {"a": 1}},
    "a token of half a sign": {"role": "organiser", "token": "\ud800"},
    "a code of half a sign": {"role": "player", "code": "\udfff"},
    "a long token": {"role": "organiser", "token": "x" * 5000},
    "no code": {"role": "player"},
    "a wrong code": {"role": "player", "code": "the-cod"},
    "a code of another kind": {"role": "player", "code": None},
}


@pytest.mark.parametrize("name", HELLOS)
def test_a_forged_greeting_is_refused(client, folder, name):
    answer = greeted(client, **HELLOS[name])
    assert answer["kind"] == "refused"
    assert answer["word"] in ("wrong_link", "bad_message")
    assert written(folder) == ["opened"]


@pytest.mark.parametrize("text", ["", "no json", "[1]", "7", "null", "[" * 5000, "x" * 200_000])
def test_what_is_no_message_ends_the_connection(client, folder, text):
    with client.websocket_connect("/ws") as socket:
        socket.send_text(text)
        assert socket.receive_json()["kind"] == "refused"
        with pytest.raises(disconnects.WebSocketDisconnect):
            socket.receive_json()
    assert written(folder) == ["opened"]


def test_a_flood_ends_the_connection_and_nobody_elses(client):
    with client.websocket_connect("/ws") as quiet, client.websocket_connect("/ws") as flooding:
        quiet.send_json({"role": "organiser", "token": TOKEN})
        assert quiet.receive_json()["kind"] == "welcome"
        flooding.send_json({"role": "player", "code": CODE})
        for _ in range(200):
            flooding.send_json({"kind": "nothing"})
        words = []
        with pytest.raises(disconnects.WebSocketDisconnect):
            while True:
                words.append(flooding.receive_json().get("word"))
        assert "too_fast" in words
        quiet.send_json({"kind": "begin", "models": [], "words": [], "rounds": 1})
        while quiet.receive_json().get("word") != "models_needed":
            pass


def test_a_player_is_no_organiser_and_draws_in_their_turn_only(client, folder):
    with client.websocket_connect("/ws") as socket:
        socket.send_json({"role": "player", "code": CODE})
        socket.receive_json()
        socket.send_json({"kind": "join", "name": "=Ada"})
        for kind in ("begin", "next", "start", "finish", "skip", "repeat", "end", "ink", "done"):
            socket.send_json({"kind": kind, "models": ["m1"], "rounds": 1, "round": 1})
        socket.send_json({"kind": "join", "name": "again"})
        while socket.receive_json()["kind"] != "joined":
            pass
    assert written(folder) == ["opened", "joined"]


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://testserver.evil"])
def test_a_page_elsewhere_cannot_connect(client, origin):
    with (
        pytest.raises(disconnects.WebSocketDisconnect),
        client.websocket_connect("/ws", headers={"origin": origin}) as socket,
    ):
        socket.receive_json()


def test_a_name_of_another_is_refused(client):
    assert client.get("/", headers={"host": "evil.example"}).status_code == 421


@pytest.mark.parametrize(
    "path",
    [
        "/static/..%2Fcontest.py",
        "/static/words.en.json",
        "/static/%2e%2e/rules.py",
        "/results/events.csv",
        "/results/..%2Fevents.csv",
        "/models/x.onnx",
        "/events.jsonl",
        "/openapi.json",
        "/docs",
    ],
)
def test_there_are_no_other_files(client, path):
    assert client.get(path).status_code == 404


SENT = {
    "no secret": ({}, b"x", 401),
    "a wrong secret": ({"authorization": "Bearer no"}, b"x", 401),
    "another scheme": ({"authorization": f"Basic {CODE}"}, b"x", 401),
    "no model": ({"authorization": f"Bearer {CODE}"}, b"x", 400),
    "nothing": ({"authorization": f"Bearer {TOKEN}"}, b"", 400),
    "too much": ({"authorization": f"Bearer {CODE}", "content-length": str(1 << 30)}, b"x", 413),
}


@pytest.mark.parametrize("name", SENT)
def test_a_file_that_is_no_model_is_told_so(client, folder, name):
    headers, data, status = SENT[name]
    answer = client.post("/api/models?name=a", headers=headers, content=data)
    assert answer.status_code == status
    assert len(answer.json()["error"].splitlines()) == 1
    assert written(folder) == ["opened"]
    assert [path.name for path in folder.iterdir()] == ["events.jsonl"]


@pytest.mark.parametrize("name", ["", "%20", "%E2%80%AE", "!!"])
def test_a_model_without_a_name_is_refused(client, name):
    headers = {"authorization": f"Bearer {CODE}"}
    assert client.post(f"/api/models?name={name}", headers=headers, content=b"x").status_code == 400


ORGANISER = {"authorization": f"Bearer {TOKEN}"}


@pytest.mark.parametrize(
    "name",
    [
        *("", ".", "..", "notes", "../runs/suns", "suns/../suns", "suns/", "/etc", "suns%00"),
        *("%2e%2e", "gs://bucket/run", "SUNS", "suns,torn", "x" * 5000),
    ],
)
def test_only_a_run_of_the_folder_can_be_named(client, folder, name):
    answer = client.post(f"/api/runs?name={name}", headers=ORGANISER)
    assert answer.status_code == 404 and answer.json() == {"error": "there is no such run"}
    assert written(folder) == ["opened"]


@pytest.mark.parametrize("secret", ["", "Bearer ", "Bearer no", f"Bearer {CODE}", f"Basic {TOKEN}"])
def test_only_the_organiser_sees_and_adds_runs(client, folder, secret):
    for answer in (
        client.get("/api/runs", headers={"authorization": secret}),
        client.post("/api/runs?name=suns", headers={"authorization": secret}),
    ):
        assert answer.status_code == 401 and "suns" not in answer.text
    assert written(folder) == ["opened"]


def test_a_run_enters_once_and_a_damaged_one_is_told_in_a_line(client, folder, runs):
    assert client.get("/api/runs", headers=ORGANISER).json() == ["damaged", "suns", "torn"]
    for name, told in (("torn", "no ONNX file, or not a whole one"), ("damaged", "run.json")):
        refused = client.post(f"/api/runs?name={name}", headers=ORGANISER)
        assert refused.status_code == 400 and told in refused.json()["error"]
        assert len(refused.json()["error"].splitlines()) == 1
    assert written(folder) == ["opened"]
    there = client.post("/api/runs?name=suns", headers=ORGANISER).json()
    assert (there["name"], there["classes"]) == ("suns", 3)
    again = client.post("/api/runs?name=suns", headers=ORGANISER)
    assert again.status_code == 400 and "has entered already" in again.json()["error"]
    korean = client.post("/api/runs?name=suns&lang=ko", headers=ORGANISER).json()["error"]
    assert korean == "이미 참가한 모델입니다"
    assert written(folder) == ["opened", "entered"]


def test_every_page_has_its_policy_and_holds_no_secret(client):
    for path in ("/", "/play", "/organiser", "/hand_in", "/results"):
        answer = client.get(path)
        assert answer.status_code == 200
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy and "unsafe" not in policy
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert CODE not in answer.text and TOKEN not in answer.text
        assert "<style" not in answer.text and " style=" not in answer.text
        assert " onclick" not in answer.text


def test_the_language_is_the_browsers_or_that_of_the_address(client):
    korean = client.get("/", headers={"accept-language": "ko-KR,en;q=0.5"}).text
    assert '<html lang="ko">' in korean and "결승전" in korean
    assert '<html lang="en">' in client.get("/?lang=en", headers={"accept-language": "ko"}).text
    assert '<html lang="en">' in client.get("/?lang=%3Cb%3E").text
