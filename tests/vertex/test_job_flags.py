"""What `train` would refuse is refused before a job is paid for; what is not there is found."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from quickdraw import storage
from quickdraw.vertex import submit

ROOT = Path(__file__).resolve().parents[2]
DRY = ("--bucket=art-class", "--project=p", "--run=r", "--dry_run")
TRAIN = "--train_data_pattern=gs://art-class/tiny/train-*"
VALID = "--eval_data_pattern=gs://art-class/tiny/valid-*"
BOTH = [TRAIN, VALID]


def run(*arguments: str) -> int:
    return submit.main(["submit", *arguments])


@pytest.fixture
def offline(tmp_path, monkeypatch):
    """Nobody is logged in, and there is no network."""
    monkeypatch.chdir(ROOT)
    for name in ("HOME", "CLOUDSDK_CONFIG"):
        monkeypatch.setenv(name, str(tmp_path))
    for name in ("GOOGLE_APPLICATION_CREDENTIALS", "STORAGE_EMULATOR_HOST"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NO_GCE_CHECK", "true")


@pytest.mark.parametrize(
    ("before", "behind", "told"),
    [
        ([], [], "-- --train_data_pattern=gs://… is needed"),
        ([], [*BOTH, "--augment=rotatoin=10"], "Did you mean 'rotation'?"),
        ([], [*BOTH, "--augment=rotation=True"], "rotation must be"),
        (["--gpus=4"], [*BOTH, "--batch_size=130"], "--batch_size must be a multiple of 4"),
        (["--workers=3"], [*BOTH, "--batch_size=128"], "--batch_size must be a multiple of 3"),
        (
            ["--gpus=2"],
            [*BOTH, "--batch_size=30", "--accumulate_steps=4"],
            "must be a multiple of 8",
        ),
        ([], [*BOTH, "--label_loss=DistillationLoss"], "Received: no --teacher_dir"),
        ([], [*BOTH, "--teacher_dir=gs://b-1/t"], "go together. Received: gs://b-1/t"),
        ([], [TRAIN, "--early_stopping=3"], "--eval_data_pattern is needed"),
        ([], [TRAIN, "--schedule=plateau"], "--eval_data_pattern is needed"),
        ([], [TRAIN, "--use_valid_as_train"], "--eval_data_pattern is needed"),
        ([], [*BOTH, "--class_weights=cat=-1"], "0 or more expected for 'cat'"),
        ([], [*BOTH, "--class_weights=balancd"], "--class_weights: balanced, or weights"),
        ([], [*BOTH, "--model_params=depth=x"], "depth"),
        ([], [*BOTH, "--label_loss=FocusLoss"], "Did you mean 'FocalLoss'?"),
        (["--gpus=4"], [*BOTH, "--distribute=none"], "leave some of the 4 GPUs idle"),
        (["--workers=2"], [*BOTH, "--distribute=mirrored"], "leave some of the 2 GPUs idle"),
        ([], [*BOTH, "--distribute=multi_worker"], "needs --workers=2"),
        (["--region=us-central1-a"], BOTH, "a zone of us-central1"),
        (["--service_account=me@example.com"], BOTH, "--service_account: the address of a serv"),
        (["--tensorboard=board"], BOTH, "--tensorboard: projects/PROJECT/locations/us-central1"),
        (
            ["--tensorboard=projects/1/locations/us-central1/tensorboards/2"],
            [*BOTH, "--train_dir=gs://other/x"],
            "leave one of --tensorboard and --train_dir out",
        ),
    ],
)
def test_what_train_would_refuse_is_refused(offline, capfd, before, behind, told):
    assert run("train", *DRY, *before, "--", *behind) in (1, 2)
    printed = capfd.readouterr()
    assert told in printed.err
    assert "Traceback" not in printed.err and not printed.out


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        ([TRAIN], "trials are compared by validation"),
        ([*BOTH, "--train_dir=gs://b-1/x"], "leave --train_dir"),
        ([*BOTH, "--start_new_model"], "leave --train_dir, --start_new_model"),
    ],
)
def test_what_trials_cannot_be_told_is_refused(offline, capfd, flags, told):
    assert run("tune", *DRY, "--", *flags) == 2
    assert told in capfd.readouterr().err


@pytest.mark.parametrize(
    ("kind", "flags", "results"),
    [
        ("train", BOTH, "gs://art-class/runs/r"),
        ("train", [*BOTH, "--train_dir=gs://other/x"], "gs://other/x"),
        ("eval", ["--train_dir=gs://other/x"], "gs://other/x"),
        (
            "inference",
            ["--input_data_pattern=gs://b-1/test-*", "--train_dir=gs://o-1/x,gs://o-1/y"],
            "gs://o-1/x",
        ),
        (
            "inference",
            ["--input_data_pattern=gs://b-1/test-*", "--output_file=gs://o-1/predictions.csv"],
            "gs://o-1/predictions.csv",
        ),
    ],
)
def test_the_summary_names_where_results_go(offline, capfd, kind, flags, results):
    assert run(kind, *DRY, "--", *flags) == 0
    printed = capfd.readouterr()
    assert f"results: {results}\n" in printed.err
    assert "not logged in here: whether records and runs are on gs://" in printed.err


def test_a_list_arrives_as_one(offline, capfd):
    flags = ["--input_data_pattern=gs://b-1/test-*", "--ensemble_weights=0.25,0.75"]
    assert run("inference", *DRY, "--", *flags) == 0
    (pool,) = yaml.safe_load(capfd.readouterr().out)["workerPoolSpecs"]
    assert "--ensemble_weights=0.25,0.75" in pool["containerSpec"]["args"]


def test_a_job_that_would_begin_anew_after_each_stop_is_warned_of(offline, capfd):
    assert run("train", *DRY, "--", *BOTH, "--start_new_model") == 0
    assert "warning: --start_new_model: a job that Vertex AI starts again" in capfd.readouterr().err


# Looked for on gs://


@pytest.fixture
def bucket(here, tiny_data, tiny_run) -> None:
    """Holds tiny records, and a run that was trained on them."""
    for path in tiny_data.folder.iterdir():
        here.store.put("art-class", f"tiny/{path.name}", path.read_bytes())
    with storage.open_binary(f"{tiny_run}/run.json") as file:
        here.store.put("art-class", "runs/r/run.json", file.read())


@pytest.mark.parametrize(
    ("kind", "flags", "told"),
    [
        ("train", ["--train_data_pattern=gs://art-class/tiny/trian-*"], "no file matches"),
        ("train", [TRAIN, "--eval_data_pattern=gs://art-class/tiny/val-*"], "no file matches"),
        ("train", ["--train_data_pattern=gs://nowhere/train-*"], "there is no bucket gs://nowhere"),
        ("train", [*BOTH, "--class_weights=dog=2"], "--class_weights: no class 'dog'"),
        ("train", [*BOTH, "--augment=flip=True, never_flip=('dog',)"], "dog"),
        ("train", [*BOTH, "--crop=20"], "--crop=20: the images have 12 pixels a side"),
        (
            "train",
            [*BOTH, "--label_loss=DistillationLoss", "--teacher_dir=gs://art-class/runs/none"],
            "gs://art-class/runs/none holds no run",
        ),
        ("train", [*BOTH, "--init_from=gs://art-class/runs/none"], "holds no run"),
        ("eval", ["--model=CnnModel"], "holds a run with --model=LogisticModel"),
        ("eval", ["--eval_data_pattern=gs://art-class/tiny/val-*"], "no file matches"),
        ("eval", ["--train_dir=gs://art-class/runs/none"], "holds no run"),
        ("inference", ["--input_data_pattern=gs://art-class/tiny/tset-*"], "no file matches"),
    ],
)
def test_what_is_not_there_is_found_before_submission(bucket, capfd, kind, flags, told):
    assert run(kind, *DRY, "--", *flags) == 1
    assert told in capfd.readouterr().err


@pytest.mark.parametrize(
    ("kind", "flags"),
    [
        ("train", [*BOTH, "--class_weights=cat=2"]),
        ("eval", ["--model=LogisticModel"]),
        ("inference", ["--input_data_pattern=gs://art-class/tiny/test-*"]),
    ],
)
def test_what_is_there_is_right(bucket, capfd, kind, flags):
    assert run(kind, *DRY, "--", *flags) == 0, capfd.readouterr().err
