"""From drawings to predictions.csv on Google Cloud, as far as that can be had on one machine."""

from __future__ import annotations

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
    "num_epochs": 50,
    "eval_every": 1000,
    "checkpoint_every_steps": 200,
    "base_learning_rate": 0.01,
}
MODEL = ("my_models.MyModel", "units=16")


@pytest.fixture(scope="module")
def drawings(tmp_path_factory) -> Path:
    """A folder of bitmaps: three classes that can be told apart."""
    folder = tmp_path_factory.mktemp("drawings")
    for number, name in enumerate(("cat", "dog", "sun")):
        bitmaps = np.random.default_rng(number).integers(0, 90, (120, 28, 28), np.uint8)
        bitmaps[:, 9 * number : 9 * number + 8] |= 128
        np.save(folder / f"{name}.npy", bitmaps.reshape(120, -1))
    return folder


@pytest.fixture(scope="module")
def local(drawings, checkout, tmp_path_factory) -> bytes:
    """The predictions of the same training on this machine, without any cloud."""
    folder = tmp_path_factory.mktemp("local")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(checkout)
        data, run = folder / "data", folder / "run"
        assert prepare.main(["prepare", f"--source={drawings}", f"--output_dir={data}"]) == 0
        assert train.main(["train", *flags(data), f"--train_dir={run}", *model()]) == 0
        arguments = [f"--train_dir={run}", f"--input_data_pattern={data}/test-*"]
        assert inference.main(["inference", *arguments]) == 0
    return (run / "predictions.csv").read_bytes()


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


def stop_once(cloud, job: str, run: str, stop: Callable[[Run], None]) -> None:
    """Stops the job as soon as there is a checkpoint, and lets it finish."""
    index = f"runs/{run}/checkpoints/step-"
    cloud.wait_for(
        lambda: any(name.endswith(".index") for name in cloud.names(index)) or cloud.has_ended(job)
    )
    running = cloud.service.runs[job][0]
    stop(running)
    cloud.wait_for(lambda: cloud.has_ended(job))
    assert cloud.state(job) == "JOB_STATE_SUCCEEDED", cloud.service.jobs[job].error.message
    assert running.attempts == 2
    assert "going on from the checkpoint" in running.logs[-1].read_text()


def train_flags(run: str, records: str, *options: str) -> list[str]:
    """How a training is submitted."""
    common = ["--bucket=art-class", f"--run={run}", f"--model={MODEL[0]}", *options]
    return ["train", *common, "--", f"--model_params={MODEL[1]}", *flags(records)]


def test_chain(here, records, local, capfd):
    """gRPC, then REST, then the real gcloud where there is one."""
    result = here.run("quickdraw.vertex.submit", *train_flags("mine", records, "--spot"))
    assert result.returncode == 0, result.stderr
    assert "results: gs://art-class/runs/mine" in result.stderr
    job = result.stdout.strip()
    stop_once(here, job, "mine", Run.preempt)
    assert here.service.jobs[job].job_spec.scheduling.strategy.name == "SPOT"

    common = ["--bucket=art-class", "--run=mine", "--transport=rest"]
    wait = ["--wait", "--poll_seconds=0.1"]
    assert submit.main(["submit", "eval", *common, *wait]) == 0, here.told()
    assert here.names("runs/mine/eval.json")
    pattern = f"--input_data_pattern={records}/test-*"
    if shutil.which("gcloud"):
        by_gcloud(here, "inference", *common, "--", pattern)
    else:
        assert submit.main(["submit", "inference", *common, *wait, "--", pattern]) == 0
    assert here.read("runs/mine/predictions.csv") == local
    assert any(name.startswith("runs/mine/logs/train/events") for name in here.names())

    capfd.readouterr()
    assert jobs.main(["jobs", "list", "--transport=rest"]) == 0
    assert "SUCCEEDED    mine" in capfd.readouterr().out


def by_gcloud(cloud, kind: str, *arguments: str) -> None:
    """Submits with gcloud, as the README prints it, and waits for the job."""
    own, passed = arguments[: arguments.index("--")], arguments[arguments.index("--") :]
    assert submit.main(["submit", kind, *own, "--spec_file=job.yaml", *passed]) == 0
    before = set(cloud.service.jobs)
    environment = {
        **cloud.environment,
        "CLOUDSDK_CONFIG": str(cloud.checkout / "gcloud"),
        "CLOUDSDK_CORE_PROJECT": "project",
        "CLOUDSDK_CORE_DISABLE_PROMPTS": "1",
        "CLOUDSDK_AUTH_DISABLE_CREDENTIALS": "true",
        "CLOUDSDK_API_ENDPOINT_OVERRIDES_AIPLATFORM": f"http://127.0.0.1:{cloud.service.rest_port}/",
    }
    command = ["gcloud", "ai", "custom-jobs", "create", "--region=us-central1"]
    result = subprocess.run(
        [*command, "--display-name=mine", "--config=job.yaml"],
        env=environment,
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stderr
    (job,) = set(cloud.service.jobs) - before
    cloud.wait_for(lambda: cloud.has_ended(job))
    assert cloud.state(job) == "JOB_STATE_SUCCEEDED", cloud.told()


def test_two_workers(here, records, local, capfd):
    options = ("--workers=2", "--transport=rest")
    capfd.readouterr()
    assert submit.main(["submit", *train_flags("both", records, *options)]) == 0
    job = capfd.readouterr().out.strip()
    stop_once(here, job, "both", Run.terminate)
    arguments = ["--train_dir=gs://art-class/runs/both", f"--input_data_pattern={records}/test-*"]
    assert inference.main(["inference", *arguments]) == 0
    assert here.read("runs/both/predictions.csv") == local
