"""The Model Registry and Experiments, asked by the real client libraries."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest

from quickdraw import runs, storage
from quickdraw.tracking import vertex_experiments
from quickdraw.vertex import register

PLACE = "projects/project/locations/us-central1"


@pytest.fixture
def run(here, tiny_run) -> str:
    """A run, on gs://."""
    for path in ("run.json", "best.keras", "best.json"):
        with storage.open_binary(f"{tiny_run}/{path}") as file:
            here.store.put("art-class", f"runs/registered/{path}", file.read())
    return "gs://art-class/runs/registered"


@pytest.mark.parametrize("transport", ["grpc", "rest"])
def test_a_model_is_registered_again_as_a_new_version(here, run, transport, capfd, tmp_path):
    import tensorflow as tf

    here.service.registry.resources.clear()
    flags = [
        "--bucket=art-class",
        "--run=registered",
        "--project=project",
        f"--transport={transport}",
    ]
    for version in (1, 2):
        assert register.main(["register", *flags, "--serving_image=g/image"]) == 0
        assert capfd.readouterr().out.strip() == f"{PLACE}/models/registered@{version}"
    model = here.service.registry.resources[f"{PLACE}/models/registered"]
    assert model.container_spec.image_uri == "g/image"

    prefix = model.artifact_uri.removeprefix("gs://art-class/")
    for name in here.names(prefix):
        path = tmp_path / name.removeprefix(f"{prefix}/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(here.read(name))
    trained = runs.load(run)
    images = np.random.default_rng(0).integers(0, 256, (3, 12, 12, 1), np.uint8)
    served = tf.saved_model.load(str(tmp_path)).signatures["serving_default"]
    (probabilities,) = served(tf.constant(images)).values()
    np.testing.assert_allclose(probabilities, trained.probabilities(images), atol=1e-6)
    assert (tmp_path / "labels.txt").read_text().split("\n")[:3] == trained.labels


def test_registering_may_be_refused(here, run, capfd, monkeypatch):
    flags = ["--bucket=art-class", "--project=project", "--transport=rest"]
    assert register.main(["register", *flags, "--run=nothing"]) == 1
    assert "gs://art-class/runs/nothing holds no run" in capfd.readouterr().err
    assert register.main(["register", *flags, "--run=My run"]) == 2
    monkeypatch.setattr(here.service, "deny", True)
    assert register.main(["register", *flags, "--run=registered"]) == 1
    assert "roles/aiplatform.user is needed" in capfd.readouterr().err


def test_a_run_is_logged_to_an_experiment_and_logged_anew(here, run, monkeypatch, capfd):
    monkeypatch.setenv("QUICKDRAW_EXPERIMENT", "project/us-central1/class/mine")
    trained = runs.read(run)
    for seed in (0, 1):
        settings = {**trained.settings, "seed": seed}
        vertex_experiments.log_run(dataclasses.replace(trained, settings=settings), run)
    contexts = f"{PLACE}/metadataStores/default/contexts"
    # The stand-in serves all tests of a process: others log runs of other projects to it.
    ours = [pair for pair in here.service.registry.children if pair[0].startswith(contexts)]
    assert ours == [(f"{contexts}/class", f"{contexts}/class-mine")]
    logged = here.service.registry.resources[f"{contexts}/class-mine"].metadata
    assert logged["_params"]["model"] == "LogisticModel"
    assert logged["_params"]["seed"] == 1
    assert logged["_metrics"]["top1"] == json.loads(here.read("runs/registered/best.json"))["top1"]
    assert logged["_state"] == "COMPLETE"

    monkeypatch.setattr(here.service, "deny", True)
    vertex_experiments.log_run(trained, run)
    assert "warning: the experiment class does not get this run" in capfd.readouterr().err
