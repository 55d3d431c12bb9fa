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
and the module of a dotted --model, are in the job. --dry_run prints the spec and sends nothing;
--spec_file writes it for `gcloud ai custom-jobs create --config=…`. A job starts some minutes after
it was submitted, later where GPUs are short.
"""

from __future__ import annotations

import dataclasses
import datetime
import sys
from typing import Any

import yaml
from absl import flags

from quickdraw import cli, runs, storage
from quickdraw.errors import QuickdrawError
from quickdraw.gcs import objects
from quickdraw.progress import log
from quickdraw.vertex import check, machines, module_flags, package, service
from quickdraw.vertex.spec import MODULES, Job, render, summary

_CONTINENTS = {"US": "us-", "EU": "europe-", "ASIA": "asia-"}
_NOT_UPLOADED = "gs://{}/packages/0/quickdraw.tar.gz"


def define_flags(values: flags.FlagValues) -> None:
    """Defines the flags of this command."""
    text = flags.DEFINE_string
    text("bucket", None, "Bucket in the region of the job, without gs://.", flag_values=values)
    text("run", None, "Name of the run. Without it, model and time.", flag_values=values)
    text("model", None, "Short for -- --model=…", flag_values=values)
    text(
        "image",
        None,
        "The image that cloud/cloudbuild.yaml made. Without it, quickdraw/train:latest of the "
        "project.",
        flag_values=values,
    )
    text(
        "prebuilt_image",
        None,
        "A training image of Google's with Python 3.11 or newer, for a job without an own image.",
        flag_values=values,
    )
    text("service_account", "", "Account that the job runs as.", flag_values=values)
    text("tensorboard", "", "Resource name of a Vertex AI TensorBoard.", flag_values=values)
    text(
        "experiment",
        "",
        "Experiment of Vertex AI to which the run logs settings and metrics at its end.",
        flag_values=values,
    )
    text("labels", "", "Labels, such as class=art,team=blue.", flag_values=values)
    text(
        "spec_file",
        None,
        "Upload the package, write the spec to this file and stop: for gcloud.",
        flag_values=values,
    )
    _define_machine_flags(values)
    service.define_flags(values)
    service.define_poll_flag(values)


def _define_machine_flags(values: flags.FlagValues) -> None:
    number, switch = flags.DEFINE_integer, flags.DEFINE_boolean
    flags.DEFINE_enum(
        "kind",
        None,
        list(MODULES),
        "train, eval, inference or tune: the first word.",
        flag_values=values,
    )
    flags.DEFINE_enum("gpu", "L4", list(machines.GPUS), "Kind of GPU.", flag_values=values)
    number("gpus", 1, "GPUs of each machine.", lower_bound=1, flag_values=values)
    number("workers", 1, "Machines.", lower_bound=1, flag_values=values)
    flags.DEFINE_float(
        "hours", 6.0, "Hours after which the job is stopped.", 0.1, 168.0, flag_values=values
    )
    switch("spot", False, "Spot machines: cheaper, may be taken away.", flag_values=values)
    switch("dry_run", False, "Check and print the spec; send nothing.", flag_values=values)
    switch("wait", False, "Follow the job until it ends.", flag_values=values)


def command(values: flags.FlagValues, passed: list[str]) -> None:
    """Submits as the flags say; `passed` goes to the module that the job runs."""
    if not values.kind:
        raise cli.UsageError(f"the first word says what to run: {', '.join(MODULES)}")
    check.bucket_name(values.bucket)
    labels = {service.LABEL: "true"}
    labels |= dict(part.partition("=")[::2] for part in values.labels.split(",") if part)
    check.labels(labels)
    chosen = module_flags.parse(values.kind, values.model, passed)
    job = _job(values, chosen)
    content = render(job)
    _check(job, content)
    print(summary(job, values.region), file=sys.stderr)
    if values.dry_run:
        print(_yaml(content), end="")
        return
    _check_bucket(values.bucket, values.region)
    uploaded = package.upload(values.bucket, _classes(job, chosen))
    job = dataclasses.replace(job, package=uploaded)
    content = render(job)
    if values.spec_file:
        _write_spec(values, job, content, labels)
    else:
        _submit(values, job, _check(job, content), labels)


def _classes(job: Job, chosen: flags.FlagValues) -> list[str]:
    """The classes that the job needs: those it trains with, or those of the run it is about."""
    if job.kind in ("train", "tune"):
        return [chosen.model, chosen.label_loss]
    folders = f"gs://{job.bucket}/runs/{job.run}"
    if chosen.train_dir != chosen["train_dir"].default:
        folders = chosen.train_dir
    found = [runs.read(folder) for folder in folders.split(",")]
    return [name for run in found for name in (run.model, run.label_loss)]


def _write_spec(
    values: flags.FlagValues, job: Job, content: dict[str, Any], labels: dict[str, str]
) -> None:
    with storage.write_whole(values.spec_file) as file:
        file.write(_yaml(content))
    log(
        f"gcloud ai {'hp-tuning' if job.kind == 'tune' else 'custom'}-jobs create "
        f"--project={service.project(values)} --region={values.region} --display-name={job.run} "
        f"--labels={','.join(f'{key}={value}' for key, value in labels.items())} "
        f"--config={values.spec_file}"
    )


def _submit(values: flags.FlagValues, job: Job, message: Any, labels: dict[str, str]) -> None:
    jobs = service.Jobs(values)
    name = jobs.create(job.run, message, labels)
    print(name, flush=True)
    if values.wait:
        jobs.follow(name)


def _job(values: flags.FlagValues, chosen: flags.FlagValues) -> Job:
    """The job that the flags describe, as if its package had been uploaded already."""
    same = ["kind", "bucket", "gpu", "gpus", "workers", "spot", "hours", "service_account"]
    same += ["region", "experiment", "tensorboard"]
    settings: dict[str, Any] = {name: values[name].value for name in same}
    return Job(
        run=_run(values.run, chosen),
        image=values.prebuilt_image or values.image or _default_image(values),
        package=_NOT_UPLOADED.format(values.bucket),
        flags=module_flags.given(chosen),
        prebuilt=bool(values.prebuilt_image),
        project=service.project(values) if values.experiment else "",
        **settings,
    )


def _run(run: str | None, chosen: flags.FlagValues) -> str:
    if not run:
        if "model" not in chosen:
            raise cli.UsageError("--run is needed: the name of the run to take")
        now = datetime.datetime.now().strftime("%Y%m%d-%H%M%S")
        run = f"{chosen.model.rpartition('.')[2].lower()}-{now}"
    check.run_name(run)
    return run


def _default_image(values: flags.FlagValues) -> str:
    return f"{values.region}-docker.pkg.dev/{service.project(values)}/quickdraw/train:latest"


def _check(job: Job, content: dict[str, Any]) -> Any:
    return (check.tuning_job if job.kind == "tune" else check.custom_job)(content)


def _check_bucket(bucket: str, region: str) -> None:
    """A bucket elsewhere is slow, and its traffic is charged."""
    location = objects.bucket_location(bucket)
    if location is None or location == region.upper():
        return
    if not region.startswith(_CONTINENTS.get(location, "-")):
        raise QuickdrawError(
            f"gs://{bucket} lies in {location}, the job would run in {region}: take another "
            "--region, or a bucket there"
        )


def _yaml(spec: dict[str, Any]) -> str:
    return yaml.safe_dump(spec, sort_keys=False, width=100)


def split(argv: list[str]) -> tuple[list[str], list[str]]:
    """This command's arguments, and what follows `--`."""
    at = argv.index("--") if "--" in argv else len(argv)
    return service.first_word_as("kind", argv[:at]), argv[at + 1 :]


def main(argv: list[str] | None = None) -> int:
    """The console command; returns its exit code."""
    own, passed = split(sys.argv if argv is None else argv)

    def with_passed(values: flags.FlagValues) -> None:
        command(values, passed)

    return cli.run(define_flags, with_passed, own)


if __name__ == "__main__":
    sys.exit(main())
