"""Submitting: what is refused before anything is sent, what is sent, and other kinds of jobs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
import yaml

from quickdraw import environment
from quickdraw.vertex import jobs, launch, package, submit

ROOT = Path(__file__).resolve().parents[2]


def run(*arguments: str) -> int:
    return submit.main(["submit", *arguments])


DRY = ("--bucket=art-class", "--project=p", "--dry_run")
DATA = "--train_data_pattern=gs://art-class/tiny/train-*"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([], "the first word says what to run: train, eval, inference, tune"),
        (["trian"], "value should be one of <train|eval|inference|tune>"),
        (["train"], "--bucket is needed"),
        (["train", "--bucket=Art class"], "--bucket: small letters, digits, -, _ and dots expec"),
        (["train", *DRY, "--spot", "--flex_start"], "either --spot or --flex_start"),
        (["train", "--bucket=gs://x"], "--bucket is needed: the name of a bucket, without gs://"),
        (["train", *DRY, "--gpu=K80"], "--gpu=K80: value should be one of <L4|T4"),
        (["train", *DRY, "--gpus=3"], "--gpus: L4 comes in numbers of 1, 2, 4, 8. Received: 3"),
        (["train", *DRY, "--hours=1000"], "--hours must be from 0.1 to 168"),
        (["train", *DRY, "--run=My Run"], "--run: small letters"),
        (["train", *DRY, "--labels=Team=a"], "labels.Team: small letters"),
        (["train", *DRY, "--labels=a=1,a=2"], "--labels: each label once expected"),
        (["train", *DRY, f"--labels={','.join(f'k{n}=v' for n in range(64))}"], "64 at most expec"),
        (["train", *DRY, "--image=train"], "--image: the URI of an image"),
        (["train", *DRY, "--image=g/i", "--prebuilt_image=g/i"], "either --image or --prebuilt_im"),
        (["train", *DRY, "--", DATA, "--mlflow=http://localhost:5000"], "is the job's own machine"),
        (["inference", *DRY, "--run=a", "--", "--submit_to=http://127.0.0.1"], "--submit_to: in a"),
        (["train", *DRY, "--", "--train_data_pattern=gs://Art/x"], "gs://BUCKET/… expected"),
        (["train", *DRY, "--model=CmnModel", "--", DATA], "Did you mean 'CnnModel'?"),
        (["train", *DRY, "--", "--modle=x"], "no flag --modle. Did you mean --model?"),
        (["train", *DRY, "--", "--batch_size=0"], "--batch_size must be at least 1"),
        (["train", *DRY, "--", "--train_data_pattern=data/x"], "a job sees gs:// paths only"),
        (["train", *DRY, "--", "--labels=names.txt"], "--labels: a job sees gs:// paths only"),
        (["eval", *DRY], "--run is needed"),
        (["inference", *DRY, "--run=a", "--model=CnnModel"], "--model: a run has its model"),
        (["train", *DRY, "--batch_size=3"], "--batch_size belongs behind --, with the flags of tr"),
        (["train", *DRY, "--", "--gpus=2"], "--gpus belongs before --, with the flags of submit"),
        (["eval", *DRY, "--run=a", "--workers=2"], "--workers: several machines are for train"),
        (
            ["train", *DRY, "--workers=2", "--prebuilt_image=g/i"],
            "--workers: several machines are",
        ),
        (["eval", *DRY, "--run=a", "--prebuilt_image=g/i"], "--prebuilt_image is for train"),
        (["train", *DRY, "--experiment=x"], "--experiment is for train and tune, with a --serv"),
        (["train", *DRY, "--experiment=A b"], "--experiment: small letters, digits and -"),
        (["inference", *DRY, "--run=a"], "--input_data_pattern=gs://… is needed"),
    ],
)
def test_mistakes_are_told_before_anything_is_sent(arguments, told, capfd, monkeypatch):
    monkeypatch.chdir(ROOT)
    assert run(*arguments) in (1, 2)
    error = capfd.readouterr().err
    assert told in error
    assert "Traceback" not in error


@pytest.mark.parametrize("module", ["submit", "jobs"])
@pytest.mark.parametrize("flag", ["--help", "--nonsense"])
def test_help_and_wrong_flags_are_quick(module, flag):
    before = os.times()
    command = [sys.executable, "-X", "importtime", "-m", f"quickdraw.vertex.{module}", flag]
    result = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert result.returncode == (0 if flag == "--help" else 2)
    assert not {"tensorflow", "google.cloud"} & {
        line.rpartition("|")[2].strip() for line in result.stderr.splitlines()
    }
    # Processor time, half a second: how long it takes depends on what else the machine does.
    assert os.times().children_user - before.children_user < 3


def test_a_dry_run_prints_the_spec_and_sends_nothing(here, records, capfd):
    before = len(here.gcs.requests)
    flags = ["--model=CnnModel", "--run=cnn", "--spot", "--gpu=T4", "--", *records, "--seed=3"]
    assert run("train", *DRY, *flags) == 0
    printed = capfd.readouterr()
    assert "n1-standard-8 with 1 NVIDIA_TESLA_T4 in us-central1, Spot" in printed.err
    assert "at most 6 hours" in printed.err and "gs://art-class/runs/cnn" in printed.err
    spec = yaml.safe_load(printed.out)
    arguments = spec["workerPoolSpecs"][0]["containerSpec"]["args"]
    assert arguments[1:3] == ["quickdraw.train", "--eval_data_pattern=gs://art-class/tiny/valid-*"]
    assert arguments[3:5] == ["--model=CnnModel", "--seed=3"]
    assert {method for method, *_ in here.gcs.requests[before:]} <= {"GET"}


@pytest.mark.parametrize(
    ("flag", "strategy", "told"),
    [
        ([], "STANDARD", "on demand"),
        (["--spot"], "SPOT", "Spot"),
        (["--flex_start"], "FLEX_START", "flex-start (waits up to a day"),
    ],
)
def test_the_strategy_is_told_and_in_the_spec(here, records, capfd, flag, strategy, told):
    assert run("train", *DRY, *flag, "--", *records) == 0
    printed = capfd.readouterr()
    assert told in printed.err
    assert yaml.safe_load(printed.out)["scheduling"]["strategy"] == strategy


def test_a_bucket_elsewhere_is_refused(here, records, capfd):
    here.store.make_bucket("far-away")
    here.store.locations["far-away"] = "EUROPE-WEST4"
    assert run("train", "--bucket=far-away", "--project=p", "--", *records) == 1
    assert "lies in EUROPE-WEST4, the job would run in us-central1" in capfd.readouterr().err
    here.store.locations["far-away"] = "EU"
    assert run("train", "--bucket=far-away", "--project=p", "--", *records) == 1
    elsewhere = [*records, "--train_dir=gs://far-away/x"]
    assert run("train", "--bucket=art-class", "--project=p", "--", *elsewhere) == 1
    assert "gs://far-away lies in EU, the job would run in us-central1" in capfd.readouterr().err
    assert run("train", "--bucket=nowhere", "--project=p", "--", *records) == 1
    assert "there is no bucket gs://nowhere" in capfd.readouterr().err


def test_the_server_may_refuse(here, capfd, monkeypatch):
    monkeypatch.setattr(here.service, "deny", True)
    assert jobs.main(["jobs", "list", "--transport=rest"]) == 1
    assert "roles/aiplatform.user is needed" in capfd.readouterr().err
    monkeypatch.setattr(here.service, "deny", False)
    assert jobs.main(["jobs", "follow", "--job=1", "--transport=rest"]) == 1
    assert "no such job" in capfd.readouterr().err


def test_the_package_holds_edits_and_modules(here, tmp_path):
    (here.checkout / "their").mkdir(exist_ok=True)
    (here.checkout / "their/__init__.py").write_text("")
    (here.checkout / "their/models.py").write_text("class X: ...")
    classes = ["my_models.MyModel", "their.models.X", "CnnModel", "keras.optimizers.Nadam"]
    made = package.build(package.collect(tmp_path / "source", classes), tmp_path)
    with tarfile.open(made) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {"my_models.py", "their/models.py", "quickdraw/models.py", "setup.py"} <= names
    assert not [name for name in names if name.startswith("keras")]


@pytest.mark.parametrize("content", [b"", b"no archive"])
def test_what_is_no_package_is_told(content, tmp_path, capfd):
    (tmp_path / "x.tar.gz").write_bytes(content)
    assert launch.main(["launch", str(tmp_path / "x.tar.gz"), "quickdraw.train"]) == 1
    assert "no source distribution" in capfd.readouterr().err


@pytest.fixture
def records(here, tiny_data) -> list[str]:
    """The flags for a training on tiny records on gs://."""
    for path in tiny_data.folder.iterdir():
        here.store.put("art-class", f"tiny/{path.name}", path.read_bytes())
    return [
        "--train_data_pattern=gs://art-class/tiny/train-*",
        "--eval_data_pattern=gs://art-class/tiny/valid-*",
    ]


@pytest.mark.slow
def test_a_prebuilt_image_installs_the_package(here, records, capfd):
    """And cancelling ends a job."""
    flags = [
        "--prebuilt_image=g/image",
        "--run=pre",
        "--transport=rest",
        "--model=my_models.MyModel",
    ]
    module = ["--", *records, "--num_epochs=1000000"]
    assert run("train", "--bucket=art-class", "--project=p", *flags, *module) == 0
    job = capfd.readouterr().out.strip()
    here.wait_for(lambda: here.names("runs/pre/run.json") or here.has_ended(job))
    number = job.rpartition("/")[2]
    assert jobs.main(["jobs", "cancel", f"--job={number}", "--project=p", "--transport=rest"]) == 0
    here.wait_for(lambda: here.has_ended(job))
    assert here.state(job) == "JOB_STATE_CANCELLED", here.service.jobs[job].error.message


@pytest.mark.slow
def test_tuning_reports_what_each_trial_reached(here, records, capfd):
    path = here.checkout / "cloud/tune.yaml"
    text = path.read_text().replace("maxTrialCount: 8", "maxTrialCount: 1")
    path.write_text(text.replace("parallelTrialCount: 2", "parallelTrialCount: 1"))
    flags = ["--bucket=art-class", "--project=p", "--run=tuned", "--transport=rest"]
    flags += ["--experiment=class", "--service_account=robot@p.iam.gserviceaccount.com"]
    follow = ["--wait", "--poll_seconds=0.2"]
    assert run("tune", *flags, *follow, "--", *records) == 0, here.told()
    job = here.service.jobs[capfd.readouterr().out.strip()]
    reported = [trial.final_measurement.metrics[0].metric_id for trial in job.trials]
    assert reported == ["eval_top1"]
    runs = [child.rpartition("/")[2] for _, child in here.service.registry.children]
    assert "class-tuned-1" in runs
    settings = json.loads(here.read("runs/tuned/1/run.json"))["settings"]
    assert (settings["base_learning_rate"], settings["batch_size"]) == (0.0003, 128)


# What a job is told, and what it answers


def test_the_run_goes_to_the_jobs_output_folder(monkeypatch):
    assert environment.output_folder() is None
    monkeypatch.setenv("AIP_MODEL_DIR", "gs://b/runs/a/model/")
    assert environment.output_folder() == "gs://b/runs/a"


def test_tf_config_comes_from_cluster_spec(monkeypatch):
    pools = {"workerpool0": ["a:1"], "workerpool1": ["b:1", "c:1"], "workerpool3": ["d:1"]}
    task = {"type": "workerpool1", "index": 1}
    monkeypatch.setattr(
        environment.os, "environ", {"CLUSTER_SPEC": json.dumps({"cluster": pools, "task": task})}
    )
    environment.set_tf_config()
    assert json.loads(environment.os.environ["TF_CONFIG"]) == {
        "cluster": {"chief": ["a:1"], "worker": ["b:1", "c:1"]},
        "task": {"type": "worker", "index": 1},
    }


@pytest.mark.parametrize(("job", "code", "expected"), [("", 75, 75), ("1", 75, 134), ("1", 1, 1)])
def test_stopped_work_is_started_again_by_vertex(monkeypatch, job, code, expected):
    monkeypatch.delenv("CLOUD_ML_JOB_ID", raising=False)
    if job:
        monkeypatch.setenv("CLOUD_ML_JOB_ID", job)
    assert environment.exit_code(code) == expected
