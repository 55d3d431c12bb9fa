"""Checks a job's spec strictly before anything is sent: gcloud does not, and the server says less.

Against the messages of the Vertex AI API (an unknown key or enum is an error), and against what
the API documents in words. Every error names the path of the fault.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from quickdraw import vertex_job
from quickdraw.errors import QuickdrawError
from quickdraw.vertex import machines

_CAMEL = re.compile(r"[a-z][A-Za-z0-9]*")
_LABEL_KEY = re.compile(r"[a-z][a-z0-9_-]{0,62}")
_LABEL_VALUE = re.compile(r"[a-z0-9_-]{0,63}")
_BUCKET_PATH = re.compile(r"gs://[a-z0-9][a-z0-9._-]{1,61}[a-z0-9](/.*)?")
_LONGEST_SECONDS = 7 * 24 * 3600
_FREE_MAPS = ("labels",)


class SpecError(QuickdrawError):
    """A fault in a job's spec."""

    def __init__(self, path: str, what: str):
        super().__init__(f"{path or 'the spec'}: {what}")


def custom_job(spec: Any) -> Any:
    """The `aiplatform_v1.CustomJobSpec` that a spec stands for.

    Raises:
        SpecError: anything that Vertex AI would refuse, or that leaves the job without a timeout.
    """
    from google.cloud.aiplatform_v1 import CustomJobSpec

    message = _parse(spec, CustomJobSpec)
    _check_job(message, "")
    return message


def tuning_job(spec: Any) -> Any:
    """The `aiplatform_v1.HyperparameterTuningJob` that a spec stands for.

    Raises:
        SpecError: as `custom_job`; or trials that do not report what is tuned.
    """
    from google.cloud.aiplatform_v1 import HyperparameterTuningJob

    message = _parse(spec, HyperparameterTuningJob)
    metrics = [metric.metric_id for metric in message.study_spec.metrics]
    if metrics != [vertex_job.METRIC]:
        raise SpecError(
            "studySpec.metrics",
            f"the one metricId {vertex_job.METRIC} expected. Received: {metrics}",
        )
    if not message.study_spec.parameters:
        raise SpecError("studySpec.parameters", "no parameter to tune")
    if not 1 <= message.parallel_trial_count <= message.max_trial_count:
        raise SpecError(
            "parallelTrialCount",
            f"1 … maxTrialCount expected. Received: {message.parallel_trial_count} of "
            f"{message.max_trial_count}",
        )
    _check_job(message.trial_job_spec, "trialJobSpec.")
    return message


def labels(values: dict[str, str]) -> None:
    """Checks the labels of a job.

    Raises:
        SpecError: a key or a value with other characters than labels may have.
    """
    for key, value in values.items():
        if not _LABEL_KEY.fullmatch(key) or not _LABEL_VALUE.fullmatch(value):
            raise SpecError(
                f"labels.{key}",
                "small letters, digits, - and _ expected, 63 at most, a letter first. "
                f"Received: {key}={value}",
            )


def _parse(spec: Any, kind: Any) -> Any:
    from google.protobuf import json_format

    if not isinstance(spec, dict):
        raise SpecError("", f"a mapping of keys expected. Received: {spec!r:.80}")
    for path, key, value in _walk(spec, ""):
        if key and not _CAMEL.fullmatch(key):
            raise SpecError(path, f"keys are written lowerCamelCase. Received: {key!r}")
        if isinstance(value, str) and "${" in value:
            raise SpecError(path, f"a value is missing. Received: {value!r}")
    message = kind()
    try:
        json_format.ParseDict(spec, kind.pb(message), ignore_unknown_fields=False)
    except json_format.ParseError as error:
        raise SpecError(*_where(str(error), kind.__name__)) from None
    return message


def _walk(value: Any, path: str, key: str = "") -> Iterator[tuple[str, str, Any]]:
    """(path, key, value) of everything in a spec; the elements of a list have the list's key."""
    yield path, key, value
    if isinstance(value, dict) and key not in _FREE_MAPS:
        for name, inner in value.items():
            yield from _walk(inner, f"{path}.{name}".lstrip("."), str(name))
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _walk(inner, f"{path}[{number}]", key)


def _where(message: str, kind: str) -> tuple[str, str]:
    """Path and complaint in what protobuf says; it names the path in one of two ways."""
    at = re.search(rf' at "?{kind}\.?([\w.\[\]]*)"?', message)
    fields = re.findall(r"Failed to parse (\w+) field: ", message)
    what = re.sub(r"Failed to parse \w+ field: ", "", message)
    what = what.replace(at[0], "") if at else what
    return (at[1] if at else ".".join(fields)), re.sub(r"\s+", " ", what).rstrip(".")


def _check_job(spec: Any, path: str) -> None:
    if not spec.worker_pool_specs:
        raise SpecError(f"{path}workerPoolSpecs", "at least one pool expected")
    for number, pool in enumerate(spec.worker_pool_specs):
        _check_pool(pool, f"{path}workerPoolSpecs[{number}]", number)
    seconds = spec.scheduling.timeout.total_seconds()
    if not 0 < seconds <= _LONGEST_SECONDS:
        raise SpecError(
            f"{path}scheduling.timeout",
            f"1 … {_LONGEST_SECONDS}s expected, so that no job runs on unseen. "
            f"Received: {seconds:.0f}s",
        )
    output = spec.base_output_directory.output_uri_prefix
    if not _BUCKET_PATH.fullmatch(output):
        raise SpecError(
            f"{path}baseOutputDirectory.outputUriPrefix",
            f"gs://bucket/… expected. Received: {output!r}",
        )
    if spec.tensorboard and not spec.service_account:
        raise SpecError(f"{path}serviceAccount", "needed where tensorboard is set")
    if len(spec.worker_pool_specs) > 1 and not spec.scheduling.restart_job_on_worker_restart:
        raise SpecError(
            f"{path}scheduling.restartJobOnWorkerRestart",
            "must be true: workers that train together start together",
        )


def _check_pool(pool: Any, path: str, number: int) -> None:
    if number == 0 and pool.replica_count != 1:
        raise SpecError(
            f"{path}.replicaCount", f"the first pool has 1. Received: {pool.replica_count}"
        )
    if pool.replica_count < 1:
        raise SpecError(
            f"{path}.replicaCount", f"at least 1 expected. Received: {pool.replica_count}"
        )
    machine = pool.machine_spec
    if not machine.machine_type:
        raise SpecError(f"{path}.machineSpec.machineType", "missing")
    accelerator = machine.accelerator_type.name if machine.accelerator_type else ""
    wrong = machines.mismatch(machine.machine_type, accelerator, machine.accelerator_count)
    if wrong:
        raise SpecError(f"{path}.machineSpec", wrong)
    _check_task(pool, path)


def _check_task(pool: Any, path: str) -> None:
    package = pool.python_package_spec
    if pool.container_spec.image_uri:
        return
    if pool.container_spec.command or pool.container_spec.args:
        raise SpecError(f"{path}.containerSpec.imageUri", "missing")
    if not package.python_module:
        raise SpecError(path, "containerSpec or pythonPackageSpec expected")
    if not package.executor_image_uri:
        raise SpecError(f"{path}.pythonPackageSpec.executorImageUri", "missing")
    for uri in package.package_uris:
        if not _BUCKET_PATH.fullmatch(uri):
            raise SpecError(
                f"{path}.pythonPackageSpec.packageUris", f"gs://… expected. Received: {uri!r}"
            )
    if not package.package_uris:
        raise SpecError(f"{path}.pythonPackageSpec.packageUris", "missing")
