"""The image of the class serves: what it is told to run, and what it answers."""

from __future__ import annotations

import datetime
import json
import os
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from quickdraw import runs, storage
from quickdraw.errors import QuickdrawError
from quickdraw.export import write
from quickdraw.vertex import endpoint as answering
from quickdraw.vertex import register, serving_images

OWN = "us-central1-docker.pkg.dev/p/quickdraw/train:latest"
GOOGLES = "us-docker.pkg.dev/vertex-ai/prediction/tf2-cpu.2-15:latest"
END = datetime.date(2027, 1, 14)


@pytest.mark.parametrize(
    ("days", "own", "told"),
    [
        (-400, False, ""),
        (-30, False, "TensorFlow 2.15 is offered until 2027-01-14"),
        (0, False, "--serving_image=own serves with the image of your jobs"),
        (1, True, f"no serving image of Google's is known that is offered today: {OWN} serves"),
    ],
)
def test_googles_image_serves_while_there_is_one(capsys, days, own, told):
    image = serving_images.choose(None, OWN, END + datetime.timedelta(days=days))
    assert image.own == own
    assert image.uri == (
        OWN if own else "us-docker.pkg.dev/vertex-ai/prediction/tf2-cpu.2-15:latest"
    )
    printed = capsys.readouterr().err
    assert told in printed and bool(printed) == bool(told)


def test_whoever_names_an_image_gets_it(capsys):
    today = END + datetime.timedelta(days=1)
    assert serving_images.choose("mine", OWN, today).container() == {"image_uri": "mine"}
    for given in ("own", OWN):
        container = serving_images.choose(given, OWN, today).container()
        assert container["image_uri"] == OWN
        assert container["command"] == ["python", "-m", "quickdraw.vertex.endpoint"]
    assert capsys.readouterr().err == ""


@pytest.fixture(scope="module")
def exported(tiny_run, tmp_path_factory) -> Path:
    """A model as `register` exports it."""
    folder = tmp_path_factory.mktemp("exported")
    write.write(write.prepare([runs.load(tiny_run)], [tiny_run]), "saved_model", str(folder))
    return folder


@pytest.fixture(scope="module")
def endpoint(exported) -> Iterator[str]:
    """The URL of a server."""
    with answering.server(answering.load(str(exported)), 0) as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{running.server_address[1]}"
        running.shutdown()
        thread.join()


def ask(url: str, body: object) -> tuple[int, dict]:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    try:
        with urllib.request.urlopen(f"{url}/predict", data, timeout=30) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


def test_it_is_healthy_and_predicts_as_the_run_does(endpoint, tiny_run):
    with urllib.request.urlopen(f"{endpoint}/health", timeout=30) as answer:
        assert answer.status == 200
    images = np.random.default_rng(0).integers(0, 256, (5, 12, 12, 1), np.uint8)
    expected = runs.load(tiny_run).probabilities(images)
    for instances in (images.tolist(), (images * 1.0).tolist()):
        status, answer = ask(endpoint, {"instances": instances})
        assert status == 200
        np.testing.assert_allclose(answer["predictions"], expected, atol=1e-6)


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"no JSON", "JSONDecodeError"),
        ({}, "KeyError: 'instances'"),
        ({"instances": []}, "expected"),
        ({"instances": np.zeros((1, 10, 12, 1)).tolist()}, "Received: [10, 12, 1]"),
        ({"instances": np.full((1, 12, 12, 1), 256).tolist()}, "whole numbers of 0 … 255"),
        ({"instances": np.full((1, 12, 12, 1), -1).tolist()}, "whole numbers of 0 … 255"),
        ({"instances": np.full((1, 12, 12, 1), 0.5).tolist()}, "whole numbers of 0 … 255"),
        ({"instances": [[[["x"]]]]}, "ValueError"),
        ({"instances": [{"picture": 3}]}, "KeyError"),
    ],
)
def test_what_does_not_fit_is_answered(endpoint, body, told):
    status, answer = ask(endpoint, body)
    assert status == 400
    assert told in answer["error"]


def test_a_model_on_gs_is_fetched(server, exported):
    for path in exported.rglob("*"):
        if path.is_file():
            server.store.put("b", f"model/{path.relative_to(exported)}", path.read_bytes())
    predict = answering.load("gs://b/model")
    assert predict([np.zeros((12, 12, 1))]).shape == (1, 3)


@pytest.mark.parametrize(("uri", "told"), [("", "AIP_STORAGE_URI must"), (".", "holds no exp")])
def test_without_a_model_it_ends(tmp_path, uri, told):
    done = subprocess.run(
        [sys.executable, "-m", "quickdraw.vertex.endpoint"],
        cwd=tmp_path,
        env={**os.environ, "AIP_STORAGE_URI": uri, "PYTHONPATH": ":".join(filter(None, sys.path))},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert told in done.stderr and "Traceback" not in done.stderr


def test_a_folder_without_a_model_is_told(tmp_path):
    with pytest.raises(QuickdrawError, match="holds no exported model"):
        answering.load(str(tmp_path))


def test_an_endpoint_is_told_to_run_it(here, tiny_run):
    for path in ("run.json", "best.keras", "best.json"):
        with storage.open_binary(f"{tiny_run}/{path}") as file:
            here.store.put("art-class", f"runs/own/{path}", file.read())
    flags = ["--bucket=art-class", "--run=own", "--project=p", "--transport=rest"]
    assert register.main(["register", *flags, "--serving_image=own"]) == 0
    (model,) = (
        model for name, model in here.service.registry.resources.items() if name.endswith("/own")
    )
    spec = model.container_spec
    assert (spec.image_uri, list(spec.command)) == (
        OWN,
        ["python", "-m", "quickdraw.vertex.endpoint"],
    )
    assert (spec.predict_route, spec.health_route) == ("/predict", "/health")
    assert [port.container_port for port in spec.ports] == [8080]
