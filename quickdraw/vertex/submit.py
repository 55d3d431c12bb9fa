"""Submits a training, evaluation or inference to Vertex AI, with the same flags as here.

    python -m quickdraw.vertex.submit train --bucket=my-bucket --run=cnn --model=CnnModel --spot \\
        -- --train_data_pattern='gs://my-bucket/qd10/train-*' \\
        --eval_data_pattern='gs://my-bucket/qd10/valid-*'
    python -m quickdraw.vertex.submit eval --bucket=my-bucket --run=cnn
    python -m quickdraw.vertex.submit inference --bucket=my-bucket --run=cnn \\
        -- --input_data_pattern='gs://my-bucket/qd10/test-*'
    python -m quickdraw.vertex.submit tune --bucket=my-bucket --run=cnn-tuned --model=CnnModel -- …

What follows `--` goes to the module that the job runs. A run lies in gs://BUCKET/runs/RUN; the
same command again goes on with it. This checkout is built and uploaded: your edits of models,
and the modules of a dotted --model, --label_loss or --optimizer, are in the job. --dry_run prints
the spec and sends nothing; --spec_file writes it for `gcloud ai custom-jobs create --config=…`. A
job starts some minutes after it was submitted, later where GPUs are short.
"""

from __future__ import annotations

import dataclasses
import datetime
import sys
from typing import TYPE_CHECKING, Any, TypeAlias

import yaml
from absl.flags import FlagValues

from quickdraw import cli, storage
from quickdraw.console import log
from quickdraw.errors import QuickdrawError, UsageError
from quickdraw.fields import field
from quickdraw.storage import client, objects
from quickdraw.vertex import (
    job_flags,
    job_inputs,
    machines,
    package,
    resource_names,
    service,
    spec_check,
)
from quickdraw.vertex.spec import MODULES, Job, render, summary

if TYPE_CHECKING:
    from google.cloud import aiplatform_v1

    Spec: TypeAlias = aiplatform_v1.CustomJobSpec | aiplatform_v1.HyperparameterTuningJob

_CONTINENTS = {"US": "us-", "EU": "europe-", "ASIA": "asia-"}
_NOT_UPLOADED = "gs://{}/packages/0/quickdraw.tar.gz"


@dataclasses.dataclass(kw_only=True)
class Flags(service.PollFlags):
    """The flags of this command."""

    kind: str | None = field(
        None, "train, eval, inference or tune: the first word.", choices=tuple(MODULES)
    )
    bucket: str | None = field(None, "Bucket in the region of the job, without gs://.")
    run: str | None = field(None, "Name of the run. Without it, model and time.")
    model: str | None = field(None, "Short for -- --model=…")
    image: str | None = field(
        None,
        "The image that cloud/cloudbuild.yaml made. Without it, quickdraw/train:latest of the "
        "project.",
    )
    prebuilt_image: str | None = field(
        None,
        "A training image of Google's with Python 3.11 or newer, for a job without an own image.",
    )
    service_account: str = field("", "Account that the job runs as.")
    tensorboard: str = field("", "Resource name of a Vertex AI TensorBoard.")
    experiment: str = field(
        "", "Experiment of Vertex AI to which the run logs settings and metrics at its end."
    )
    labels: str = field("", "Labels, such as class=art,team=blue.")
    spec_file: str | None = field(
        None, "Upload the package, write the spec to this file and stop: for gcloud.", path=True
    )
    gpu: str = field("L4", "Kind of GPU.", choices=tuple(machines.GPUS))
    gpus: int = field(1, "GPUs of each machine.", 1)
    workers: int = field(1, "Machines.", 1)
    hours: float = field(6.0, "Hours after which the job is stopped.", 0.1, 168.0)
    spot: bool = field(False, "Spot machines: cheaper, may be taken away.")
    flex_start: bool = field(
        False, "Machines that the job waits for, up to a day, and keeps: where GPUs are short."
    )
    dry_run: bool = field(False, "Check and print the spec; send nothing.")
    wait: bool = field(False, "Follow the job until it ends.")


def command(flags: Flags, passed: list[str]) -> None:
    """Submit as the flags say; `passed` goes to the module that the job runs."""
    if not flags.kind:
        raise UsageError(f"the first word says what to run: {', '.join(MODULES)}")
    resource_names.bucket(flags.bucket)
    labels = _labels(flags)
    resource_names.region(flags.region)
    resource_names.service_account(flags.service_account)
    resource_names.tensorboard(flags.tensorboard, flags.region)
    resource_names.image("image", flags.image)
    resource_names.prebuilt_image(flags.prebuilt_image)
    for one, other in (("spot", "flex_start"), ("image", "prebuilt_image")):
        if getattr(flags, one) and getattr(flags, other):
            raise UsageError(f"either --{one} or --{other}")
    own = [field.name for field in dataclasses.fields(Flags)]
    chosen = job_flags.parse(flags.kind, flags.model, passed, own)
    job = _job(flags, chosen)
    content = render(job)
    _check(job, content)
    classes = _look(flags, job, chosen)
    print(summary(job, flags.region), file=sys.stderr)
    if flags.dry_run:
        print(_yaml(content), end="")
        return
    for bucket in {job.bucket, *(client.split(path)[0] for path in job.folders.split(","))}:
        _check_bucket(bucket, flags.region)
    job = dataclasses.replace(job, package=package.upload(job.bucket, classes))
    content = render(job)
    if flags.spec_file:
        _write_spec(flags, job, content, labels)
    else:
        _submit(flags, job, _check(job, content), labels)


def _labels(flags: Flags) -> dict[str, str]:
    pairs = [part.partition("=")[::2] for part in flags.labels.split(",") if part]
    labels = {service.LABEL: "true", **dict(pairs)}
    if len(dict(pairs)) < len(pairs):
        raise UsageError(f"--labels: each label once expected. Received: {flags.labels}")
    spec_check.labels(labels)
    return labels


def _look(flags: Flags, job: Job, chosen: FlagValues) -> list[str]:
    """Look for what the job needs, as far as can be seen from here; return its classes."""
    if job.kind in ("train", "tune"):
        parts = job_flags.look_up(job.kind, chosen, job.gpus, job.workers)
        if job_inputs.can_be_looked_for():
            job_inputs.look_for_records(parts)
        return [chosen.model, chosen.label_loss, chosen.optimizer]
    return job_inputs.look_for_runs(job, chosen) if job_inputs.can_be_looked_for() else []


def _write_spec(flags: Flags, job: Job, content: dict[str, object], labels: dict[str, str]) -> None:
    with storage.write_whole(str(flags.spec_file)) as file:
        file.write(_yaml(content))
    log(
        f"gcloud ai {'hp-tuning' if job.kind == 'tune' else 'custom'}-jobs create "
        f"--project={service.project(flags)} --region={flags.region} --display-name={job.run} "
        f"--labels={','.join(f'{key}={value}' for key, value in labels.items())} "
        f"--config={flags.spec_file}"
    )


def _submit(flags: Flags, job: Job, message: Spec, labels: dict[str, str]) -> None:
    jobs = service.Jobs(flags)
    name = jobs.create(job.run, message, labels)
    print(name, flush=True)
    if flags.wait:
        jobs.follow(name)


def _job(flags: Flags, chosen: FlagValues) -> Job:
    """Return the job that the flags describe, as if its package were already uploaded."""
    same = ["kind", "bucket", "gpu", "gpus", "workers", "hours", "service_account"]
    same += ["region", "experiment", "tensorboard"]
    settings: dict[str, Any] = {name: getattr(flags, name) for name in same}
    return Job(
        run=_run(flags, chosen),
        image=flags.prebuilt_image or flags.image or service.default_image(flags),
        package=_NOT_UPLOADED.format(flags.bucket),
        flags=job_flags.given(chosen),
        strategy="SPOT" if flags.spot else "FLEX_START" if flags.flex_start else "STANDARD",
        prebuilt=bool(flags.prebuilt_image),
        project=service.project(flags) if flags.experiment else "",
        **settings,
    )


def _run(flags: Flags, chosen: FlagValues) -> str:
    run = flags.run
    if not run:
        if flags.kind not in ("train", "tune"):
            raise UsageError("--run is needed: the name of the run to take")
        now = datetime.datetime.now().strftime("%Y%m%d-%H%M%S")
        run = f"{chosen.model.rpartition('.')[2].lower()}-{now}"
    resource_names.run(run)
    return run


def _check(job: Job, content: dict[str, object]) -> Spec:
    return (spec_check.tuning_job if job.kind == "tune" else spec_check.custom_job)(content)


def _check_bucket(bucket: str, region: str) -> None:
    """Raise an error for a bucket elsewhere: it is slow, and its traffic is charged."""
    location = objects.bucket_location(bucket)
    if location is None or location == region.upper():
        return
    if not region.startswith(_CONTINENTS.get(location, "-")):
        raise QuickdrawError(
            f"gs://{bucket} lies in {location}, the job would run in {region}: take another "
            "--region, or a bucket there"
        )


def _yaml(spec: dict[str, object]) -> str:
    return yaml.safe_dump(spec, sort_keys=False, width=100)


def split(argv: list[str]) -> tuple[list[str], list[str]]:
    """Split this command's arguments from what follows `--`."""
    at = argv.index("--") if "--" in argv else len(argv)
    return cli.first_word_as("kind", argv[:at]), argv[at + 1 :]


def main(argv: list[str] | None = None) -> int:
    """Run the console command `quickdraw-submit`; return its exit code."""
    own, passed = split(sys.argv if argv is None else argv)

    def with_passed(flags: Flags) -> None:
        command(flags, passed)

    kind = own[1].removeprefix("--kind=") if len(own) > 1 else ""
    return cli.run(Flags, with_passed, own, job_flags.behind(kind))


if __name__ == "__main__":
    sys.exit(main())
