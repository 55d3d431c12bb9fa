"""A contest from beginning to end by its sockets; killed in a round; and what else may happen."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import urllib.error
import urllib.request

import pytest
from contesting import CAT, Page
from onnx_files import onnx_file

from quickdraw.draw_off import event_log
from quickdraw.draw_off.rules import score

pytest.importorskip("websockets")
pytest.importorskip("fastapi")
httpx = pytest.importorskip("httpx")


def events_of(path):
    return event_log.read((path / "contest/events.jsonl").read_bytes(), "events")


def organiser(server):
    return Page(server.base, role="organiser", token=server.token)


def player(server, token=""):
    return Page(server.base, role="player", code=server.code, token=token)


async def begun(server, desk, phone, name="Ada"):
    """Let somebody join and the contest begin, with cat as its only word."""
    await phone.say(kind="join", name=name)
    await phone.until(lambda page: "joined" in page.messages)
    await desk.until(lambda page: page.state.get("here"))
    models = [model["id"] for model in desk.state["entered"]]
    await desk.say(kind="begin", models=models, words=["cat"], rounds=2)
    await desk.phase("idle")
    await desk.ready()


@pytest.mark.slow
def test_a_server_that_is_killed_in_a_round_goes_on_in_that_round(start, tmp_path):
    async def before(server):
        async with organiser(server) as desk, player(server) as phone:
            await begun(server, desk, phone)
            await desk.say(kind="next")
            await phone.phase("ready")
            assert phone.state["round"]["word"] == "cat"
            await phone.say(kind="start")
            await phone.phase("drawing")
            await phone.say(kind="ink", round=1, keep=[0, 0], strokes=CAT[:1])
            await phone.until(lambda page: any(m["hit"] for m in page.state["models"]))
            server.kill()
            return phone.messages["joined"]["token"], phone.state

    async def after(server, token, state):
        async with player(server, token) as phone, Page(server.base, role="screen") as screen:
            await phone.phase("drawing")
            assert phone.messages["welcome"]["player"] == "p1"
            assert phone.messages["welcome"]["name"] == "Ada"
            told = phone.state["round"]
            assert told["number"] == 1
            # What was written last counts; that is a second ago at most.
            assert abs(told["at"] - state["round"]["at"]) < 1500
            await phone.until(lambda page: page.drawing)
            assert phone.drawing == CAT[:1]
            hits = {m["name"]: m["hit"] for m in phone.state["models"]}
            assert hits == {m["name"]: m["hit"] for m in state["models"]}
            await phone.ready()
            await phone.say(kind="ink", round=1, keep=[1, 0], strokes=CAT[1:])
            await screen.until(lambda page: page.drawing == CAT)
            await phone.say(kind="done", round=1)
            await phone.phase("idle")
            return phone.state

    first = start(0, "--seconds=60")
    token, state = asyncio.run(before(first))
    second = start(first.port)
    assert "organiser#" not in second.text()  # only its hash is kept
    final = asyncio.run(after(second, token, state))
    places = {m["name"]: (m["rank"], m["points"]) for m in final["models"]}
    assert places["cats"][0] == 1 and places["cats"][1] > 100
    assert places["dogs"] == (2, pytest.approx(-9.9, abs=0.2))
    names = {e["model"]: e["name"] for e in events_of(tmp_path) if e["kind"] == "entered"}
    assert [(names[each.model], each.tenths / 10) for each in score(events_of(tmp_path))] == [
        (m["name"], m["points"]) for m in final["models"]
    ]


async def hand_in(server, web):
    for secret, data, status in (
        ("wrong", onnx_file(), 401),
        (server.code, b"no model", 400),
        (server.code, onnx_file(favourite=2), 200),
        (server.token, onnx_file(favourite=2), 400),  # it is there
    ):
        answer = await web.post(
            f"{server.base}/api/models?name=suns",
            content=data,
            headers={"Authorization": f"Bearer {secret}"},
            timeout=60,
        )
        assert answer.status_code == status, answer.text


@pytest.mark.slow
def test_a_contest_from_the_first_model_to_the_results(start, tmp_path):
    server = start(0, "--seconds=5")
    assert "broken.onnx is left out: no ONNX file" in server.text()

    async def play():
        async with organiser(server) as desk, player(server) as phone, httpx.AsyncClient() as web:
            await hand_in(server, web)
            await begun(server, desk, phone, "=1+1<b>")
            refused = await web.post(
                f"{server.base}/api/models?name=late",
                content=onnx_file(seed=9),
                headers={"Authorization": f"Bearer {server.token}"},
            )
            assert refused.status_code == 409
            await desk.say(kind="next")
            await phone.phase("ready")
            await phone.say(kind="start")
            await phone.phase("drawing")
            await phone.say(kind="ink", round=1, keep=[0, 0], strokes=CAT)
            await phone.until(lambda page: page.state["round"]["at"] > 1500)
            async with player(server, phone.messages["joined"]["token"]) as other_tab:
                await phone.until(lambda page: "refused" in page.messages)
                assert phone.messages["refused"]["word"] == "elsewhere"
                await other_tab.until(lambda page: page.drawing == CAT)
            await desk.until(lambda page: not page.state["round"]["runs"])
            at = desk.state["round"]["at"]
            await asyncio.sleep(1.0)
            async with player(server, phone.messages["joined"]["token"]) as again:
                await again.until(lambda page: page.state.get("round", {}).get("runs"))
                assert again.state["round"]["at"] < at + 900  # the clock stood still
                await again.phase("idle")  # the time is over
            await desk.say(kind="end")
            await desk.phase("over")
            return (await web.get(f"{server.base}/results/standings.csv")).text, [
                await web.get(f"{server.base}{path}") for path in ("/results", "/healthz")
            ]

    text, (page, health) = asyncio.run(play())
    rows = list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))
    assert rows[0]["model"] == "cats"
    assert float(rows[0]["points"]) > 90
    assert {row["rank"] for row in rows[1:]} == {"2"}  # dogs and suns are equally wrong
    assert "=1+1&lt;b&gt;" in page.text and "<b>" not in page.text
    assert health.json() == {"status": "ok", "phase": "over"}
    kinds = [event["kind"] for event in events_of(tmp_path)]
    assert kinds[-1] == "ended" and kinds.count("finished") == 1
    assert "secret" not in json.dumps(events_of(tmp_path))


def test_the_score_is_printed_from_the_file_alone(tmp_path, capsys):
    from quickdraw import draw_off

    right = {"top": [["a", 1]], "p": 1}
    events = [
        {"kind": "opened", "format": 1, "rules": {}, "organiser": "", "code": "x"},
        *(
            {"kind": "entered", "model": m, "name": n, "by": "file", "labels": ["a"], "file": "f"}
            for m, n in (("m1", "=good"), ("m2", "bad"))
        ),
        {"kind": "joined", "player": "p1", "name": "Ada", "token": ""},
        {"kind": "began", "models": ["m1", "m2"], "words": ["a"], "chosen": ["a"], "rounds": 1},
        {"kind": "round", "round": 1, "word": "a", "player": "p1"},
        {"kind": "started", "round": 1},
        *(
            {"kind": "answers", "round": 1, "at": at, "answers": {"m1": right}}
            for at in (0, 10_000)
        ),
        {"kind": "finished", "round": 1, "why": "time"},
    ]
    lines = "".join(json.dumps(event) + "\n" for event in events)
    (tmp_path / "events.jsonl").write_text(lines + '{"kind": "torn', encoding="utf-8")
    assert draw_off.main(["draw_off", f"--output_dir={tmp_path}", "--score=true"]) == 0
    assert "   1     85.0     1  =good" in capsys.readouterr().out
    assert "1,'=good,85.0,1,0.0,1,file" in (tmp_path / "standings.csv").read_text("utf-8")
    rounds = (tmp_path / "rounds.csv").read_text("utf-8").splitlines()
    assert rounds[1] == "1,a,Ada,'=good,10.0,a,1,1,0,2,85.0"
    assert draw_off.main(["draw_off", f"--output_dir={tmp_path / 'no'}", "--score=true"]) == 1


def test_a_start_that_fails_does_not_take_the_link_along(tmp_path, handed_in, capsys):
    """It is shown once: a wrong folder, or a port in use, must not be that once."""
    from quickdraw import draw_off
    from quickdraw.draw_off import running
    from quickdraw.serving.listening import listening

    folder = tmp_path / "contest"
    first = ["draw_off", f"--output_dir={folder}", "--port=0"]
    assert draw_off.main([*first, f"--train_dir={tmp_path / 'no_run'}"]) == 1
    assert draw_off.main([*first, f"--models={tmp_path / 'no_folder'}"]) == 1
    with listening("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        assert draw_off.main([*first[:2], f"--models={handed_in}", f"--port={port}"]) == 1
    assert "organiser" not in "".join(capsys.readouterr())
    assert not (folder / "events.jsonl").read_bytes()
    flags = draw_off.Flags(output_dir=str(folder), models=str(handed_in))
    events, token = running.open_contest(flags)
    events.close()
    assert token and [event["kind"] for event in events.events] == ["opened", "entered", "entered"]
    events, token = running.open_contest(flags)
    events.close()
    assert not token and len(events.events) == 3


def test_a_public_address_that_is_none_is_a_mistake_of_the_command_line(capsys):
    from quickdraw import draw_off

    assert draw_off.main(["draw_off", "--public_url=example.org"]) == 2
    assert "https://… expected. Received: example.org" in capsys.readouterr().err


def test_a_model_that_is_too_large_is_answered(start):
    """Also to a client that sends all before it reads, and wants the connection closed."""
    server = start()
    headers = {"Authorization": f"Bearer {server.code}"}
    request = urllib.request.Request(f"{server.base}/api/models?name=A", b"a" * (40 << 20), headers)
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request)
    assert refused.value.code == 413
    assert json.load(refused.value) == {"error": "at most 32 MB expected"}
