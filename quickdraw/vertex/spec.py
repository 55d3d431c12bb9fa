"""Job specs: the YAML files in cloud/, with a job's own values filled in."""

from __future__ import annotations

import dataclasses
import json
import string
from typing import Any

import yaml

from quickdraw import environment
from quickdraw.errors import QuickdrawError, UsageError
from quickdraw.vertex import machines, package, resource_names

MODULES = {
    "train": "quickdraw.train",
    "eval": "quickdraw.eval",
    "inference": "quickdraw.inference",
    "tune": "quickdraw.train",
}
"""What each kind of job runs."""

_STRATEGIES = {
    "STANDARD": "on demand",
    "SPOT": "Spot",
    "FLEX_START": "flex-start (waits up to a day for free machines)",
}


@dataclasses.dataclass(frozen=True)
class Job:
    """What a job is made of.

    Attributes:
        kind: train, eval, inference or tune.
        bucket: where the package comes from and the results go.
        run: name of the run; its folder is gs://bucket/runs/run.
        image: URI of the image; an executor image where `prebuilt`.
        package: gs:// path of the sdist.
        flags: of the module that the job runs, beside those in the file.
        gpu: a key of `machines.GPUS`.
        gpus: how many GPUs each machine has.
        workers: how many machines.
        strategy: STANDARD; SPOT, machines that may be taken away; FLEX_START, those that are waited
            for.
        hours: after which the job is stopped.
        prebuilt: whether Vertex AI installs the package into an image of Google's.
        service_account: the account that the job runs as, or "" for the default one.
        tensorboard: resource name of a Vertex AI TensorBoard, or "".
        experiment: name of a Vertex AI experiment to log to, or "".
        project, region: where that is.
    """

    kind: str
    bucket: str
    run: str
    image: str
    package: str
    flags: list[str]
    gpu: str = "L4"
    gpus: int = 1
    workers: int = 1
    strategy: str = "STANDARD"
    hours: float = 6.0
    prebuilt: bool = False
    service_account: str = ""
    tensorboard: str = ""
    experiment: str = ""
    project: str = ""
    region: str = ""

    @property
    def folders(self) -> str:
        """The run's folder, or those of an ensemble, separated by commas."""
        return self._given("train_dir") or f"gs://{self.bucket}/runs/{self.run}"

    @property
    def results(self) -> str:
        """Where its results go."""
        return self._given("output_file") or self.folders.split(",")[0]

    def _given(self, flag: str) -> str:
        start = f"--{flag}="
        return next((one.removeprefix(start) for one in self.flags if one.startswith(start)), "")

    @property
    def file(self) -> str:
        """Which file in cloud/ describes such a job."""
        if self.kind != "train":
            return f"{self.kind}.yaml"
        if self.prebuilt:
            return "train_prebuilt.yaml"
        if self.workers > 1:
            return "train_multi_worker.yaml"
        return "train_multi_gpu.yaml" if self.gpus > 1 else "train_gpu.yaml"


def render(job: Job) -> dict[str, Any]:
    """Return the spec of a job, not yet checked against the API.

    Raises:
        QuickdrawError: settings that do not go together.
    """
    _check_kind(job)
    gpu = machines.GPUS[job.gpu]
    if job.gpus not in gpu.machines:
        raise QuickdrawError(
            f"--gpus: {job.gpu} comes in numbers of {', '.join(map(str, gpu.machines))}. "
            f"Received: {job.gpus}"
        )
    text = (package.checkout() / "cloud" / job.file).read_text(encoding="utf-8")
    names = {"BUCKET": job.bucket, "RUN": job.run, "IMAGE": job.image, "PACKAGE": job.package}
    # Through JSON, so that nothing that the file says once and means twice is one object.
    spec = json.loads(json.dumps(yaml.safe_load(string.Template(text).safe_substitute(names))))
    custom = spec["trialJobSpec"] if job.kind == "tune" else spec
    custom["scheduling"]["timeout"] = f"{round(job.hours * 3600)}s"
    custom["scheduling"]["strategy"] = job.strategy
    for name, value in (
        ("serviceAccount", job.service_account),
        ("tensorboard", job.tensorboard),
    ):
        if value:
            custom[name] = value
    for number, pool in enumerate(custom["workerPoolSpecs"]):
        pool["machineSpec"] = {
            "machineType": gpu.machines[job.gpus],
            "acceleratorType": gpu.accelerator,
            "acceleratorCount": job.gpus,
        }
        if number:
            pool["replicaCount"] = job.workers - 1
        task = pool.get("containerSpec", pool.get("pythonPackageSpec"))
        task["args"] += job.flags
        if job.experiment and not number:
            name = job.run.replace("_", "-")  # no _ in the names of experiments
            place = f"{job.project}/{job.region}/{job.experiment}/{name}"
            task["env"] = [{"name": environment.EXPERIMENT, "value": place}]
    return spec


def _check_kind(job: Job) -> None:
    if job.workers > 1 and (job.kind != "train" or job.prebuilt):
        raise UsageError("--workers: several machines are for train, with an image of your own")
    if job.prebuilt and job.kind != "train":
        raise UsageError(f"--prebuilt_image is for train. Received: {job.kind}")
    if job.tensorboard and not f"{job.folders}/".startswith(f"gs://{job.bucket}/runs/{job.run}/"):
        raise UsageError(
            f"--tensorboard shows what is in gs://{job.bucket}/runs/{job.run}, and the run goes to "
            f"{job.folders}: leave one of --tensorboard and --train_dir out"
        )
    if job.experiment:
        resource_names.experiment(job.experiment)
        if job.kind not in ("train", "tune") or not job.service_account:
            raise UsageError("--experiment is for train and tune, with a --service_account")


def summary(job: Job, region: str) -> str:
    """Return what a job costs and where its results go, as text for the user."""
    gpu = machines.GPUS[job.gpu]
    machine = f"{gpu.machines[job.gpus]} with {job.gpus} {gpu.accelerator}"
    trials = " a trial (see maxTrialCount)" if job.kind == "tune" else ""
    return (
        f"{job.kind} {job.run}: {job.workers} x {machine} in {region}, "
        f"{_STRATEGIES[job.strategy]}\n"
        f"at most {job.hours:g} hours, {job.hours * job.gpus * job.workers:g} GPU hours{trials}; "
        "prices: https://cloud.google.com/vertex-ai/pricing\n"
        f"results: {job.results}"
    )
