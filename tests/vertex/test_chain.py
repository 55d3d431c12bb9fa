"""From drawings to predictions.csv on Google Cloud, as far as that can be had on one machine."""

from __future__ import annotations

import shlex
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from standins.vertex_jobs import Run

from quickdraw import inference, train
from quickdraw.datasets import prepare
from quickdraw.vertex import jobs, submit

FLAGS = {
    "batch_size": 10,
    "num_epochs": 3,
    "eval_every": 1000,
    "checkpoint_every_steps": 30,
    "base_learning_rate": 0.002,
}
MODEL = ("my_models.MyModel", "units=16")


@pytest.fixture(scope="module")
def drawings(tmp_path_factory) -> Path:
    """A folder of bitmaps: three classes that can be told apart."""
    folder = tmp_path_factory.mktemp("drawings")
    for number, name in enumerate(("cat", "dog", "sun")):
        bitmaps = np.random.default_rng(number).integers(0, 90, (120, 28, 28), np.uint8)
        bitmaps[:60, 9 * number : 9 * number + 8] |= 32
        np.save(folder / f"{name}.npy", bitmaps.reshape(120, -1))
    return folder


@pytest.fixture(scope="module")
def local(drawings, checkout, tmp_path_factory) -> tuple[bytes, bytes]:
    """Predictions and probabilities of the same training on this machine, without any cloud."""
    folder = tmp_path_factory.mktemp("local")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(checkout)
        data, run = folder / "data", folder / "run"
        assert prepare.main(["prepare", f"--source={drawings}", f"--output_dir={data}"]) == 0
        assert train.main(["train", *flags(data), f"--train_dir={run}", *model()]) == 0
        arguments = [f"--train_dir={run}", f"--input_data_pattern={data}/test-*"]
        arguments += [f"--output_probabilities={run}/probabilities.csv"]
        assert inference.main(["inference", *arguments]) == 0
    return (run / "predictions.csv").read_bytes(), (run / "probabilities.csv").read_bytes()


@pytest.fixture
def records(here, drawings) -> str:
    """The records, on gs://."""
    folder = "gs://art-class/qd"
    assert prepare.main(["prepare", f"--source={drawings}", f"--output_dir={folder}"]) == 0
    return folder


def flags(data: Path | str) -> list[str]:
    patterns = [f"--train_data_pattern={data}/train-*", f"--eval_data_pattern={data}/valid-*"]
    return [*patterns, *(f"--{name}={value}" for name, value in FLAGS.items())]


def model() -> list[str]:
    return [f"--model={MODEL[0]}", f"--model_params={MODEL[1]}"]


def stop_once(cloud, run: str, stop: Callable[[Run], None], monkeypatch) -> None:
    """Lets the next job be stopped when its first checkpoint arrives, before that is answered."""
    index, put = f"runs/{run}/checkpoints/step-30.index", cloud.store.put

    def watched(bucket: str, name: str, *args, **conditions):
        made = put(bucket, name, *args, **conditions)
        if name == index:
            (*_, (running,)) = cloud.service.runs.values()
            stop(running)
        return made

    monkeypatch.setattr(cloud.store, "put", watched)


def assert_it_went_on(cloud, job: str) -> None:
    """Waits for the job, and looks whether it is one that was stopped and went on."""
    cloud.wait_for(lambda: cloud.has_ended(job))
    assert cloud.state(job) == "JOB_STATE_SUCCEEDED", cloud.service.jobs[job].error.message
    (run,) = cloud.service.runs[job]
    assert run.attempts == 2, cloud.told()
    assert "going on from the checkpoint at step" in run.logs[-1].read_text(), cloud.told()


def train_flags(run: str, records: str, *options: str) -> list[str]:
    """How a training is submitted."""
    common = ["--bucket=art-class", f"--run={run}", f"--model={MODEL[0]}", *options]
    return ["train", *common, "--", f"--model_params={MODEL[1]}", *flags(records)]


@pytest.mark.slow
def test_chain(here, records, local, capfd, monkeypatch):
    """gRPC, then REST, then the real gcloud where there is one."""
    stop_once(here, "mine", Run.preempt, monkeypatch)
    capfd.readouterr()
    assert submit.main(["submit", *train_flags("mine", records, "--spot")]) == 0
    printed = capfd.readouterr()
    assert "results: gs://art-class/runs/mine" in printed.err
    job = printed.out.strip()
    assert_it_went_on(here, job)
    assert here.service.jobs[job].job_spec.scheduling.strategy.name == "SPOT"

    common = ["--bucket=art-class", "--run=mine", "--transport=rest"]
    wait = ["--wait", "--poll_seconds=0.1"]
    assert submit.main(["submit", "eval", *common, *wait]) == 0, here.told()
    assert here.names("runs/mine/eval.json")
    flags = [f"--input_data_pattern={records}/test-*"]
    flags += ["--output_probabilities=gs://art-class/runs/mine/probabilities.csv"]
    if shutil.which("gcloud"):
        by_gcloud(here, capfd, "inference", *common, "--", *flags)
    else:
        assert submit.main(["submit", "inference", *common, *wait, "--", *flags]) == 0
    assert here.read("runs/mine/predictions.csv") == local[0]
    assert here.read("runs/mine/probabilities.csv") == local[1]
    assert any(name.startswith("runs/mine/logs/train/events") for name in here.names())

    capfd.readouterr()
    assert jobs.main(["jobs", "list", "--transport=rest"]) == 0
    assert "SUCCEEDED    mine" in capfd.readouterr().out


def by_gcloud(cloud, capfd, kind: str, *arguments: str) -> None:
    """Submits with the command that --spec_file prints, and waits for the job."""
    own, passed = arguments[: arguments.index("--")], arguments[arguments.index("--") :]
    assert submit.main(["submit", kind, *own, "--spec_file=job.yaml", *passed]) == 0
    command = capfd.readouterr().err.splitlines()[-1]
    before = set(cloud.service.jobs)
    environment = {
        **cloud.environment,
        "CLOUDSDK_CONFIG": str(cloud.checkout / "gcloud"),
        "CLOUDSDK_CORE_PROJECT": "project",
        "CLOUDSDK_CORE_DISABLE_PROMPTS": "1",
        "CLOUDSDK_AUTH_DISABLE_CREDENTIALS": "true",
        "CLOUDSDK_API_ENDPOINT_OVERRIDES_AIPLATFORM": f"http://127.0.0.1:{cloud.service.rest_port}/",
    }
    result = subprocess.run(shlex.split(command), env=environment, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    (job,) = set(cloud.service.jobs) - before
    assert cloud.service.jobs[job].labels["quickdraw"] == "true"
    cloud.wait_for(lambda: cloud.has_ended(job))
    assert cloud.state(job) == "JOB_STATE_SUCCEEDED", cloud.told()


@pytest.mark.slow
def test_two_workers(here, records, local, capfd, monkeypatch):
    options = ("--workers=2", "--transport=rest")
    stop_once(here, "both", Run.terminate, monkeypatch)
    capfd.readouterr()
    assert submit.main(["submit", *train_flags("both", records, *options)]) == 0
    assert_it_went_on(here, capfd.readouterr().out.strip())
    arguments = ["--train_dir=gs://art-class/runs/both", f"--input_data_pattern={records}/test-*"]
    assert inference.main(["inference", *arguments]) == 0
    assert here.read("runs/both/predictions.csv") == local[0]
