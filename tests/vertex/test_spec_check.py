"""Specs are checked strictly: those in cloud/ pass, broken ones are refused with a path."""

from __future__ import annotations

import copy
import dataclasses
import re
import string
from pathlib import Path

import pytest
import yaml

from quickdraw.vertex import machines, spec_check
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
    message = spec_check.custom_job(load(name))
    assert message.scheduling.strategy.name == "SPOT"
    assert message.scheduling.restart_job_on_worker_restart


def test_the_tuning_file_is_a_tuning_job():
    assert spec_check.tuning_job(load("tune")).max_trial_count == 8


@pytest.mark.parametrize("gpu", machines.GPUS)
def test_every_gpu_that_is_offered_fits_its_machine(gpu, monkeypatch):
    monkeypatch.chdir(ROOT)
    for gpus in machines.GPUS[gpu].machines:
        for workers in (1, 3):
            job = dataclasses.replace(JOB, gpu=gpu, gpus=gpus, workers=workers)
            message = spec_check.custom_job(render(job))
            counts = [pool.replica_count for pool in message.worker_pool_specs]
            assert sum(counts) == workers
            for pool in message.worker_pool_specs:
                assert list(pool.container_spec.args)[-1:] == ["--num_epochs=2"]
                assert list(pool.container_spec.args).count("--num_epochs=2") == 1


OUTPUT = "baseOutputDirectory.outputUriPrefix"
POOL, MACHINE = "workerPoolSpecs[0]", "workerPoolSpecs[0].machineSpec"
BROKEN = [
    ("pool", {"replica_count": 1}, f"{POOL}.replica_count", "write replicaCount"),
    ("pool", {"replicaCounts": 1}, f"{POOL}.replicaCounts", "Did you mean 'replicaCount'?"),
    ("pool", {"replicaCount": 2}, f"{POOL}.replicaCount", "the first pool has 1"),
    ("pool", {"replicaCount": "one"}, f"{POOL}.replicaCount", "Received: 'one'"),
    ("pool", {"diskSpec": 100}, f"{POOL}.diskSpec", "a mapping of keys expected. Received: 100"),
    ("pool", {"containerSpec": {"args": ["x"]}}, f"{POOL}.containerSpec.imageUri", "missing"),
    ("pool", {"containerSpec": {}}, POOL, "containerSpec or pythonPackageSpec expected"),
    ("pool", {"pythonPackageSpec": {}}, POOL, "only one of containerSpec, pythonPackageSpec"),
    ("task", {"imageUri": "${IMAGE}"}, f"{POOL}.containerSpec.imageUri", "a value is missing"),
    ("task", {"args": ["--x", 3]}, f"{POOL}.containerSpec.args[1]", "Received: 3"),
    ("task", {"args": "--x"}, f"{POOL}.containerSpec.args", "a list expected"),
    ("task", {"env": [{"name": "A"}, {"nam": "B"}]}, f"{POOL}.containerSpec.env[1].nam", "'name'"),
    ("machine", {"machineTyp": "x"}, f"{MACHINE}.machineTyp", "Did you mean 'machineType'?"),
    ("machine", {"machineType": ""}, f"{MACHINE}.machineType", "missing"),
    ("machine", {"machineType": "n1-standard-8"}, MACHINE, "n1-standard-8 does not carry"),
    ("machine", {"acceleratorType": "NVIDIA_T4"}, f"{MACHINE}.acceleratorType", "NVIDIA_T4"),
    ("machine", {"acceleratorType": "NVIDIA_TESLA_T4"}, MACHINE, "g2-standard-8 does not carry"),
    ("machine", {"acceleratorCount": 3}, MACHINE, "NVIDIA_L4 comes in numbers of 1, 2, 4, 8"),
    ("machine", {"acceleratorCount": 0}, MACHINE, "acceleratorCount must be at least 1"),
    ("machine", {"acceleratorType": None}, MACHINE, "g2-standard-8 comes with GPUs"),
    ("job", {"scheduling": {"strategy": "SPOT"}}, "scheduling.timeout", "1 … 604800s expected"),
    ("job", {"scheduling": {"timeout": "9999999s"}}, "scheduling.timeout", "1 … 604800s expected"),
    ("job", {"scheduling": {"timeout": "1h"}}, "scheduling.timeout", "Received: '1h'"),
    ("job", {"scheduling": {"strategy": "CHEAP"}}, "scheduling.strategy", "CHEAP"),
    ("job", {"baseOutputDirectory": {"outputUriPrefix": "runs/a"}}, OUTPUT, "gs://bucket/…"),
    ("job", {"baseOutputDirectory": None}, OUTPUT, "gs://bucket/… expected"),
    ("job", {"tensorboard": "projects/1/locations/x/tensorboards/2"}, "serviceAccount", "needed"),
    ("job", {"workerPoolSpecs": []}, "workerPoolSpecs", "at least one pool"),
    ("job", {"workerPoolSpecs": {"replicaCount": 1}}, "workerPoolSpecs", "a list expected"),
    ("job", {"workerPools": []}, "workerPools", "Did you mean 'workerPoolSpecs'?"),
]


@pytest.mark.parametrize(("where", "change", "path", "told"), BROKEN)
def test_broken_specs_are_refused_with_the_path(where, change, path, told):
    spec = copy.deepcopy(load("train_gpu"))
    pool = spec["workerPoolSpecs"][0]
    places = {"job": spec, "pool": pool, "task": pool["containerSpec"]}
    places["machine"] = pool["machineSpec"]
    places[where].update(change)
    with pytest.raises(spec_check.SpecError) as caught:
        spec_check.custom_job(spec)
    assert str(caught.value).startswith(f"{path}: "), str(caught.value)
    assert told in str(caught.value)


@pytest.mark.parametrize("spec", [None, [], "x", 3])
def test_what_is_no_mapping_is_refused(spec):
    with pytest.raises(spec_check.SpecError, match="the spec: a mapping of keys expected"):
        spec_check.custom_job(spec)


def test_workers_start_together():
    spec = load("train_multi_worker")
    del spec["scheduling"]["restartJobOnWorkerRestart"]
    with pytest.raises(
        spec_check.SpecError, match=r"^scheduling\.restartJobOnWorkerRestart: must be"
    ):
        spec_check.custom_job(spec)


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
    with pytest.raises(spec_check.SpecError, match=re.escape(told)):
        spec_check.tuning_job(load("tune") | change)


@pytest.mark.parametrize("label", ["Team=a", "team=A", "1=a", "=a", "team=a b", "team=" + 64 * "a"])
def test_labels_have_few_characters(label):
    with pytest.raises(spec_check.SpecError, match=r"^labels\."):
        spec_check.labels(dict([label.split("=")]))
