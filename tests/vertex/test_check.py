"""Specs are checked strictly: those in cloud/ pass, broken ones are refused with a path."""

from __future__ import annotations

import copy
import dataclasses
import re
import shutil
import string
import subprocess
from pathlib import Path

import pytest
import yaml

from quickdraw.vertex import check, machines
from quickdraw.vertex.spec import Job, render

ROOT = Path(__file__).resolve().parents[2]
NAMES = {
    "BUCKET": "art-class",
    "RUN": "run",
    "IMAGE": "image",
    "PACKAGE": "gs://art-class/p.tar.gz",
}
JOB = Job("train", "art-class", "run", "image", "gs://art-class/p.tar.gz", ["--num_epochs=2"])


def load(name: str) -> dict:
    text = (ROOT / "cloud" / f"{name}.yaml").read_text(encoding="utf-8")
    return yaml.safe_load(string.Template(text).safe_substitute(NAMES))


@pytest.mark.parametrize(
    "name",
    ["train_gpu", "train_multi_gpu", "train_multi_worker", "train_prebuilt", "eval", "inference"],
)
def test_files_are_custom_jobs(name):
    message = check.custom_job(load(name))
    assert message.scheduling.strategy.name == "SPOT"
    assert message.scheduling.restart_job_on_worker_restart


def test_the_tuning_file_is_a_tuning_job():
    assert check.tuning_job(load("tune")).max_trial_count == 8


@pytest.mark.parametrize("gpu", machines.GPUS)
def test_every_gpu_that_is_offered_fits_its_machine(gpu, monkeypatch):
    monkeypatch.chdir(ROOT)
    for gpus in machines.GPUS[gpu].machines:
        for workers in (1, 3):
            job = dataclasses.replace(JOB, gpu=gpu, gpus=gpus, workers=workers)
            message = check.custom_job(render(job))
            counts = [pool.replica_count for pool in message.worker_pool_specs]
            assert sum(counts) == workers
            for pool in message.worker_pool_specs:
                assert list(pool.container_spec.args)[-1:] == ["--num_epochs=2"]
                assert list(pool.container_spec.args).count("--num_epochs=2") == 1


POOL, MACHINE = "workerPoolSpecs[0]", "workerPoolSpecs[0].machineSpec"
BROKEN = [
    ("pool", {"replica_count": 1}, f"{POOL}.replica_count: keys are written lowerCamelCase"),
    ("pool", {"replicaCounts": 1}, POOL),
    ("pool", {"replicaCount": 2}, f"{POOL}.replicaCount: the first pool has 1"),
    ("pool", {"replicaCount": "one"}, "workerPoolSpecs.replicaCount"),
    ("pool", {"containerSpec": {"args": ["x"]}}, f"{POOL}.containerSpec.imageUri: missing"),
    ("pool", {"containerSpec": {}}, f"{POOL}: containerSpec or pythonPackageSpec expected"),
    (
        "pool",
        {"containerSpec": {"imageUri": "${IMAGE}"}},
        f"{POOL}.containerSpec.imageUri: a value",
    ),
    ("machine", {"machineTyp": "x"}, MACHINE),
    ("machine", {"machineType": ""}, f"{MACHINE}.machineType: missing"),
    ("machine", {"machineType": "n1-standard-8"}, f"{MACHINE}: n1-standard-8 does not carry"),
    ("machine", {"acceleratorType": "NVIDIA_T4"}, MACHINE),
    ("machine", {"acceleratorType": "NVIDIA_TESLA_T4"}, f"{MACHINE}: g2-standard-8 does not"),
    ("machine", {"acceleratorCount": 3}, f"{MACHINE}: NVIDIA_L4 comes in numbers of 1, 2, 4, 8"),
    ("machine", {"acceleratorCount": 0}, f"{MACHINE}: acceleratorCount must be at least 1"),
    ("machine", {"acceleratorType": None}, f"{MACHINE}: g2-standard-8 comes with GPUs"),
    ("job", {"scheduling": {"strategy": "SPOT"}}, "scheduling.timeout: 1 … 604800s expected"),
    ("job", {"scheduling": {"timeout": "9999999s"}}, "scheduling.timeout: 1 … 604800s expected"),
    ("job", {"scheduling": {"timeout": "1h"}}, "scheduling.timeout"),
    ("job", {"scheduling": {"timeout": "60s", "strategy": "CHEAP"}}, "scheduling"),
    (
        "job",
        {"baseOutputDirectory": {"outputUriPrefix": "runs/a"}},
        "baseOutputDirectory.outputUriP",
    ),
    ("job", {"baseOutputDirectory": None}, "baseOutputDirectory.outputUriPrefix: gs://bucket/"),
    ("job", {"tensorboard": "projects/1/locations/x/tensorboards/2"}, "serviceAccount: needed"),
    ("job", {"workerPoolSpecs": []}, "workerPoolSpecs: at least one pool"),
    ("job", {"workerPools": []}, "the spec"),
]


@pytest.mark.parametrize(("where", "change", "told"), BROKEN)
def test_broken_specs_are_refused_with_the_path(where, change, told):
    spec = copy.deepcopy(load("train_gpu"))
    pool = spec["workerPoolSpecs"][0]
    {"job": spec, "pool": pool, "machine": pool["machineSpec"]}[where].update(change)
    with pytest.raises(check.SpecError) as caught:
        check.custom_job(spec)
    assert str(caught.value).startswith(told), str(caught.value)


@pytest.mark.parametrize("spec", [None, [], "x", 3])
def test_what_is_no_mapping_is_refused(spec):
    with pytest.raises(check.SpecError, match="the spec: a mapping of keys expected"):
        check.custom_job(spec)


def test_workers_start_together():
    spec = load("train_multi_worker")
    del spec["scheduling"]["restartJobOnWorkerRestart"]
    with pytest.raises(check.SpecError, match=r"^scheduling\.restartJobOnWorkerRestart: must be"):
        check.custom_job(spec)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"parallelTrialCount": 9}, "parallelTrialCount"),
        (
            {"studySpec": {"metrics": [{"metricId": "loss", "goal": "MINIMIZE"}]}},
            "studySpec.metrics",
        ),
        ({"studySpec": {"metrics": [{"metricId": "eval_top1"}]}}, "studySpec.parameters"),
    ],
)
def test_broken_tuning_jobs_are_refused(change, told):
    with pytest.raises(check.SpecError, match=re.escape(told)):
        check.tuning_job(load("tune") | change)


@pytest.mark.parametrize("label", ["Team=a", "team=A", "1=a", "=a", "team=a b", "team=" + 64 * "a"])
def test_labels_have_few_characters(label):
    with pytest.raises(check.SpecError, match=r"^labels\."):
        check.labels(dict([label.split("=")]))


def test_the_help_of_gcloud_knows_the_flags_that_are_printed():
    """In the comments of cloud/, in what the commands print, in the READMEs and in the setup."""
    if not shutil.which("gcloud"):
        pytest.skip("needs gcloud")
    places = [*ROOT.glob("cloud/*"), *ROOT.glob("README*.md"), ROOT / "scripts/cloud_setup.sh"]
    text = "".join(path.read_text(encoding="utf-8") for path in places).replace("\\\n", " ")
    commands: dict[str, set[str]] = {}
    for match in re.finditer(r"^[#\s]*(?:run )?(gcloud [a-z].*)", text, re.M):
        command = re.match(r"gcloud( [a-z][a-z-]+)+", match[1])
        assert command, match[1]
        commands.setdefault(command[0], set()).update(re.findall(r"--[a-z-]+", match[1]))
    assert len(commands) > 5
    for command, flags in commands.items():
        words = command.split()
        known = subprocess.run([*words, "--help"], capture_output=True, text=True).stdout
        known = re.sub(r".\x08|\x1b\[\d*m", "", known)
        assert flags <= set(re.findall(r"--[a-z-]+", known)), (command, flags)
