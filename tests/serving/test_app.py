"""The server, asked by people of good will and of bad."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import time

import numpy as np
import pytest
from exporting import LABELS
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from quickdraw.datasets.doodles.draw import draw
from quickdraw.drawings import occlusion
from quickdraw.serving import asking, batching
from quickdraw.serving.asking import BadRequestError
from quickdraw.serving.guards import Hosts, is_same_origin

DRAWING = draw("cake", np.random.default_rng(0))


def test_guesses_are_those_of_the_models(client, served):
    answer = client.post("/api/guess", json={"word": "cake", "drawing": DRAWING, "top_k": 4})
    assert answer.status_code == 200
    for model in served.all:
        arrays = {name: array[None] for name, array in model.arrays(DRAWING).items()}
        (wanted,) = model.probabilities(arrays)
        found = {each["label"]: each["probability"] for each in answer.json()["models"][model.name]}
        assert found == pytest.approx(dict(zip(LABELS, wanted, strict=True)), abs=1e-5)
        assert list(found.values()) == sorted(found.values(), reverse=True)


def test_why_is_where_covering_costs_most(client, served):
    answer = client.post("/api/why", json={"drawing": DRAWING, "models": ["cnn"]}).json()
    found = answer["models"]["cnn"]
    (model,) = served.named(["cnn"])
    image = model.arrays(DRAWING)["image"]
    patch, step = occlusion.patch_of(28)
    row = range(0, 28 - patch + 1, step)
    assert len(found["drops"]) == len(row) ** 2
    y, x = row[5], row[4]
    image = np.stack([image, image])
    image[1, y : y + patch, x : x + patch] = 0
    whole, rest = model.probabilities({"image": image})
    best = whole.argmax()
    assert found["label"] == LABELS[best]
    drop = found["drops"][5 * len(row) + 4]
    assert drop == pytest.approx(whole[best] - rest[best], abs=2e-4)
    answer = client.post("/api/why", json={"drawing": DRAWING, "models": ["rnn"]})
    assert answer.status_code == 400 and "no picture to cover" in answer.json()["detail"]


def test_raw_strokes_and_chosen_models(client):
    raw = [[[10.5, 900], [0, 800], [0, 120]]]
    answer = client.post("/api/guess", json={"strokes": raw, "models": ["rnn"], "top_k": 1}).json()
    assert list(answer["models"]) == ["rnn"] and len(answer["models"]["rnn"]) == 1


def picture(**options) -> bytes:
    file = io.BytesIO()
    Image.fromarray(np.eye(200, dtype=np.uint8) * 255).convert("RGB").save(file, "PNG", **options)
    return file.getvalue()


def test_a_picture_is_for_models_of_images(client):
    headers = {"Content-Type": "image/png"}
    answer = client.post("/api/guess?models=cnn&top_k=2", content=picture(), headers=headers)
    assert len(answer.json()["models"]["cnn"]) == 2
    answer = client.post("/api/guess", content=picture(), headers=headers)
    assert answer.status_code == 400 and "rnn takes strokes" in answer.json()["detail"]


def test_what_there_is(client):
    models = client.get("/api/models").json()["models"]
    assert [(each["name"], each["labels"]) for each in models] == [("cnn", LABELS), ("rnn", LABELS)]
    assert client.get("/healthz").json() == {"status": "ok", "models": 2}
    client.post("/api/guess", json={"drawing": DRAWING})
    client.post("/api/guess", json={"drawing": 7})
    text = client.get("/metrics").text
    assert 'quickdraw_answers_total{way="http",outcome="ok"} 1\n' in text
    assert 'quickdraw_answers_total{way="http",outcome="bad"} 1\n' in text
    assert 'quickdraw_answer_seconds_bucket{le="+Inf"} 1\n' in text
    example = client.get("/openapi.json").json()["paths"]["/api/guess"]["post"]["requestBody"]
    example = example["content"]["application/json"]["example"]
    assert client.post("/api/guess", json=example).status_code == 200
    assert json.dumps(example["drawing"]) in client.get("/docs").text.replace("&#34;", '"')


@pytest.mark.parametrize(
    "path", ["/", "/docs", "/page.js", "/drawing.css", "/nothing", "/api/guess"]
)
def test_every_answer_keeps_a_page_from_loading_anything_else(path, client):
    headers = client.get(path).headers
    assert headers["content-security-policy"].startswith("default-src 'none'; script-src 'self';")
    assert headers["x-content-type-options"] == "nosniff"


NAN = float("nan")
BAD = [
    ({}, "'drawing' is missing"),
    ([], "an object expected"),
    ("drawing", "an object expected"),
    ({"drawing": None}, "'drawing' is missing"),
    ({"drawing": []}, "no strokes"),
    ({"drawing": [[]]}, "not strokes"),
    ({"drawing": [[[], []]]}, "no strokes"),
    ({"drawing": "M 0 0 L 10 10"}, "not strokes"),
    ({"drawing": {"0": 1}}, "not strokes"),
    ({"drawing": [[[1, 2], [1]]]}, "x and y of different lengths"),
    ({"drawing": [[[1, 2], [1, 300]]]}, "coordinates outside 0...255"),
    ({"drawing": [[[1, 2], [1, -1]]]}, "coordinates outside 0...255"),
    ({"drawing": [[[0.0, 0.5], [0.25, 1.0]]]}, "coordinates in 0...1"),
    ({"drawing": [[["1", 2], [1, 2]]]}, "no number"),
    ({"drawing": [[[None, 2], [1, 2]]]}, "no number"),
    ({"drawing": [[[True, {}], [1, 2]]]}, "drawing: "),
    ({"drawing": [[[1, [2]], [1, 2]]]}, "not strokes"),
    ({"drawing": [[[NAN, 2], [1, 2]]]}, "not finite"),
    ({"drawing": [[[1e400, 2], [1, 2]]]}, "not finite"),
    ({"drawing": [[[NAN], [1]]]}, "one point only"),
    ({"drawing": [[[1e9, 2], [1, 2], [0, 1]]]}, "outside the screen"),
    ({"drawing": [[[1, 2], [1, 2], [0, NAN]]]}, "time that is not finite"),
    ({"drawing": [[[1, 2], [1, 2], ["a", "b"]]]}, "time that is no number"),
    ({"drawing": [[[10**400, 2], [1, 2]]]}, "drawing: "),
    ({"drawing": [[[10**400], [1]]]}, "one point only"),
    ({"drawing": [[["1"], ["2"]]]}, "one point only"),
    ({"drawing": [[{"0": 1}, {"0": 2}]]}, "one point only"),
    ({"drawing": [[[1, 2], [1, 2], [0, 10**400]]]}, "time that is no number"),
    ({"drawing": [[[1] * 20_001, [1] * 20_001]]}, "too many points"),
    ({"drawing": [[[1, 2], [1, 2], ["a", 2]]], "raw": False}, "a time that is no number"),
    ({"drawing": [[[1, 2], [1, 2], [NAN, 2]]], "raw": False}, "a time that is no number"),
    ({"drawing": DRAWING, "top_k": 0}, "top_k: a whole number of 1…1000 expected"),
    ({"drawing": DRAWING, "top_k": NAN}, "top_k"),
    ({"drawing": DRAWING, "top_k": "many"}, "top_k"),
    ({"drawing": DRAWING, "top_k": 10**30}, "top_k"),
    ({"drawing": DRAWING, "top_k": True}, "top_k"),
    ({"drawing": DRAWING, "models": "cnn"}, "models: a list of names expected"),
    ({"drawing": DRAWING, "models": []}, "models: a list of names expected"),
    ({"drawing": DRAWING, "models": ["../../etc/passwd"]}, "models: some of cnn, rnn expected"),
]


@pytest.mark.parametrize(("sent", "told"), BAD)
def test_what_is_no_drawing_is_refused_in_a_line(sent, told, client):
    answer = client.post("/api/guess", content=json.dumps(sent))
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"
    assert told in answer.json()["detail"] and len(answer.json()["detail"]) < 300
    with client.websocket_connect("/ws") as socket:
        socket.send_text(json.dumps(sent))
        assert told in socket.receive_json()["error"]
        socket.send_text(json.dumps({"seq": 5, "drawing": DRAWING}))  # and it goes on
        assert socket.receive_json()["seq"] == 5


BYTES = [
    (b"", "application/json", 400, "a drawing expected"),
    (b"{", "application/json", 400, "JSON expected"),
    (b"\xff\xfe\x00", "application/json", 400, "JSON expected"),
    (b"[" * 100_000, "application/json", 400, "JSON expected"),
    (b" " * 300_000, "application/json", 413, "at most 262,144 bytes expected"),
    (b"no picture", "image/png", 400, "not a picture that can be read"),
    (b"\x89PNG\r\n\x1a\n" + b"\0" * 50, "image/png", 400, "not a picture that can be read"),
    (picture()[:90], "image/png", 400, "not a picture that can be read"),
    (b"GIF89a" + b"\xff" * 40, "image/gif", 400, "picture"),
    (b"\0" * 5_000_000, "application/octet-stream", 413, "at most 4,194,304 bytes expected"),
]


@pytest.mark.parametrize(("data", "kind", "status", "told"), BYTES, ids=range(len(BYTES)))
def test_bytes_that_are_no_drawing_are_refused(data, kind, status, told, client):
    answer = client.post("/api/guess?models=cnn", content=data, headers={"Content-Type": kind})
    assert (answer.status_code, answer.headers["content-type"]) == (
        status, "application/problem+json",
    )  # fmt: skip
    assert told in answer.json()["detail"]


def test_a_picture_that_unpacks_to_gigabytes_is_refused(client):
    file = io.BytesIO()
    Image.new("1", (9_000, 9_000)).save(file, "PNG")
    headers = {"Content-Type": "image/png"}
    answer = client.post("/api/guess?models=cnn", content=file.getvalue(), headers=headers)
    assert answer.status_code == 400 and "more than 25 million pixels" in answer.json()["detail"]


def test_other_names_other_pages_and_other_methods_are_refused(client):
    assert client.get("/", headers={"Host": "evil.example"}).status_code == 421
    assert client.get("/", headers={"Host": "[::1]:80"}).status_code == 200
    assert client.get("/api/guess").status_code == 405
    for path in ("/..%2f..%2fetc/passwd.js", "/words.en.js", "/by_server.py"):
        assert client.get(path).status_code == 404
    from starlette.websockets import WebSocketDisconnect

    for headers in ({"Origin": "http://evil.example"}, {"Host": "evil.example"}):
        with pytest.raises(WebSocketDisconnect), client.websocket_connect("/ws", headers=headers):
            pass
    with client.websocket_connect("/ws", headers={"Origin": "http://testserver"}) as socket:
        socket.send_json({"seq": 1, "strokes": DRAWING})
        assert socket.receive_json()["seq"] == 1


@pytest.mark.parametrize(
    ("host", "allowed"),
    [
        *((name, True) for name in ("localhost", "LOCALHOST:80", "127.0.0.1:8", "[::1]", "camp")),
        *(
            (name, False)
            for name in (None, "", "evil.example", "localhost.evil.example", "[", "a@b")
        ),
    ],
)
def test_hosts(host, allowed):
    assert Hosts(["Camp"]).allows(host) == allowed


def test_origins():
    assert is_same_origin(None, "a") and is_same_origin("https://A:1", "a:1")
    assert not is_same_origin("https://a:2", "a:1") and not is_same_origin("null", "a")
    assert not is_same_origin("http://[", "a")


def test_of_questions_that_wait_the_last_is_answered(client, served, monkeypatch):
    with client.websocket_connect("/ws") as socket:
        for seq in range(50):
            socket.send_json({"seq": seq, "strokes": DRAWING})
        seen = []
        while not seen or seen[-1] != 49:
            seen.append(socket.receive_json()["seq"])
    assert seen == sorted(set(seen))


def test_beyond_its_limit_it_says_when_to_ask_again(client, monkeypatch):
    async def busy(*_):
        raise batching.BusyError

    monkeypatch.setattr(batching.Batcher, "guess", busy)
    answer = client.post("/api/guess", json={"drawing": DRAWING})
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    with client.websocket_connect("/ws") as socket:
        socket.send_json({"seq": 3, "strokes": DRAWING})
        assert socket.receive_json() == {
            "seq": 3, "error": "too many drawings wait: ask again in a second",
        }  # fmt: skip


def test_reasons_are_dear_and_few_may_wait_for_them(client, served, monkeypatch):
    import threading

    from quickdraw.serving.beside_routes import MOST_WAITING
    from quickdraw.serving.recogniser import Recogniser

    go = threading.Event()
    monkeypatch.setattr(Recogniser, "why", lambda self, strokes: go.wait(20) and {})
    sent, answers = {"drawing": DRAWING, "models": ["cnn"]}, []
    threads = [
        threading.Thread(target=lambda: answers.append(client.post("/api/why", json=sent)))
        for _ in range(MOST_WAITING + 3)
    ]
    for thread in threads:
        thread.start()
    while len(answers) < 2:
        time.sleep(0.01)
    assert client.post("/api/guess", json={"drawing": DRAWING}).status_code == 200
    go.set()
    for thread in threads:
        thread.join()
    found = sorted(answer.status_code for answer in answers)
    assert found == [*[200] * (1 + MOST_WAITING), 503, 503]
    assert {answer.headers.get("retry-after") for answer in answers} == {None, "1"}


def test_a_dot_is_a_drawing():
    question, _ = asking.of_json(json.dumps({"drawing": [[[40], [50]]]}))
    assert question.points == 1


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=20,
)


@settings(max_examples=200, suppress_health_check=[HealthCheck.too_slow])
@given(JSON, JSON, JSON)
def test_any_json_is_a_question_or_is_refused(drawing, top_k, models):
    try:
        asking.of_json(json.dumps({"drawing": drawing, "top_k": top_k, "models": models}))
    except BadRequestError as error:
        assert "\n" not in str(error)


@settings(max_examples=200)
@given(st.binary(max_size=100))
def test_any_bytes_are_refused(data):
    for read in (asking.of_json, lambda data: asking.of_picture(data, {})):
        with pytest.raises(BadRequestError):
            read(data)


def test_the_server_starts_without_tensorflow():
    code = "import sys, quickdraw.serve, quickdraw.serving.app, quickdraw.serving.served; "
    code += "print('tensorflow' in sys.modules, 'keras' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]


def test_a_better_model_takes_the_place_of_the_old_one(served, exports, monkeypatch):
    from quickdraw.errors import QuickdrawError
    from quickdraw.serving import exporting

    old = served.all
    monkeypatch.setattr(exporting, "look_at", lambda path: exporting.ServedRun(path, path[0]))
    assert served.renew() == 2 and served.renew() == 0
    assert [model.name for model in served.all] == ["cnn", "rnn"]
    assert not set(map(id, served.all)) & set(map(id, old))

    def broken(run):
        raise QuickdrawError("half a checkpoint")

    monkeypatch.setattr(exporting, "look_at", lambda path: exporting.ServedRun(path, "next"))
    monkeypatch.setattr(exporting, "onnx_of", broken)
    assert served.renew() == 0 and len(served.all) == 2
