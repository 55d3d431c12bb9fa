"""Checks a job's spec strictly before anything is sent: gcloud does not, and the server says less.

Against the messages of the Vertex AI API (an unknown key or enum is an error), and against what
the API documents in words. Every error names the path of the fault.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from quickdraw import environment
from quickdraw.errors import QuickdrawError, did_you_mean
from quickdraw.vertex import machines

if TYPE_CHECKING:
    import proto
    from google.cloud import aiplatform_v1
    from google.protobuf.descriptor import Descriptor, FieldDescriptor

_LABEL_KEY = re.compile(r"[a-z][a-z0-9_-]{0,62}")
_LABEL_VALUE = re.compile(r"[a-z0-9_-]{0,63}")
_BUCKET_PATH = re.compile(r"gs://[a-z0-9][a-z0-9._-]{1,61}[a-z0-9](/.*)?")
_MOST_LABELS = 64
_LONGEST_SECONDS = 7 * 24 * 3600


class SpecError(QuickdrawError):
    """A fault in a job's spec."""

    def __init__(self, path: str, what: str):
        super().__init__(f"{path or 'the spec'}: {what}")


def custom_job(spec: Any) -> aiplatform_v1.CustomJobSpec:
    """Return the `aiplatform_v1.CustomJobSpec` that a spec describes.

    Raises:
        SpecError: anything that Vertex AI would refuse, or that leaves the job without a timeout.
    """
    from google.cloud.aiplatform_v1 import CustomJobSpec

    message = _parse(spec, CustomJobSpec)
    _check_job(message, "")
    return message


def tuning_job(spec: Any) -> aiplatform_v1.HyperparameterTuningJob:
    """Return the `aiplatform_v1.HyperparameterTuningJob` that a spec describes.

    Raises:
        SpecError: as `custom_job`; or trials that do not report what is tuned.
    """
    from google.cloud.aiplatform_v1 import HyperparameterTuningJob

    message = _parse(spec, HyperparameterTuningJob)
    metrics = [metric.metric_id for metric in message.study_spec.metrics]
    if metrics != [environment.METRIC]:
        raise SpecError(
            "studySpec.metrics",
            f"the one metricId {environment.METRIC} expected. Received: {metrics}",
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
    """Check the labels of a job.

    Raises:
        SpecError: a key or a value with other characters than labels may have, or too many of them.
    """
    if len(values) > _MOST_LABELS:
        raise SpecError("labels", f"{_MOST_LABELS} at most expected. Received: {len(values)}")
    for key, value in values.items():
        if not _LABEL_KEY.fullmatch(key) or not _LABEL_VALUE.fullmatch(value):
            raise SpecError(
                f"labels.{key}",
                "small letters, digits, - and _ expected, 63 at most, a letter first. "
                f"Received: {key}={value}",
            )


def _parse(spec: Any, kind: type[proto.Message]) -> proto.Message:
    from google.protobuf import json_format

    _check_fields(spec, kind.pb(kind()).DESCRIPTOR, "")
    message = kind()
    json_format.ParseDict(spec, kind.pb(message))
    return message


def _check_fields(value: object, kind: Descriptor, path: str) -> None:
    """Check a message of this kind and those in it, field by field."""
    if not isinstance(value, dict):
        raise SpecError(path, f"a mapping of keys expected. Received: {value!r:.80}")
    fields = {field.json_name: field for field in kind.fields}
    for key, inner in value.items():
        at = f"{path}.{key}".lstrip(".")
        if key not in fields:
            camel = re.sub("_(.)", lambda match: match[1].upper(), str(key))
            hint = f": write {camel}" if camel in fields else did_you_mean(str(key), fields)
            raise SpecError(at, f"{kind.name} has no such key{hint}")
        _check_field(inner, fields[key], at)
    for choice in kind.oneofs:
        given = [one.json_name for one in choice.fields if value.get(one.json_name) is not None]
        if len(given) > 1:
            raise SpecError(path, f"only one of {', '.join(given)} expected")


def _check_field(value: object, field: FieldDescriptor, path: str) -> None:
    kind = field.message_type
    if value is None:
        return  # as if the key were not there
    if not _is_list(field):
        places = [(value, path)]
    elif isinstance(value, list):
        places = [(inner, f"{path}[{number}]") for number, inner in enumerate(value)]
    else:
        raise SpecError(path, f"a list expected. Received: {value!r:.80}")
    for inner, at in places:
        if isinstance(inner, str) and "${" in inner:
            raise SpecError(at, f"a value is missing. Received: {inner!r}")
        if kind is None or kind.file.package == "google.protobuf" or kind.GetOptions().map_entry:
            _check_value(inner, field, at)
        else:
            _check_fields(inner, kind, at)


def _is_list(field: FieldDescriptor) -> bool:
    is_map = field.message_type is not None and field.message_type.GetOptions().map_entry
    return field.default_value == [] and not is_map


def _check_value(value: object, field: FieldDescriptor, path: str) -> None:
    """Let protobuf parse this value alone, so that its complaint can be given a place."""
    from google.protobuf import json_format, message_factory

    alone = {field.json_name: [value] if _is_list(field) else value}
    assert field.containing_type is not None  # as of no extension
    try:
        json_format.ParseDict(alone, message_factory.GetMessageClass(field.containing_type)())
    except json_format.ParseError as error:
        what = re.sub(r"^(Failed to parse \w+ field: )+| at \S+$", "", str(error).rstrip("."))
        what = " ".join(what.split()).rstrip(".")
        raise SpecError(path, f"{what}. Received: {value!r:.80}") from None


def _check_job(spec: aiplatform_v1.CustomJobSpec, path: str) -> None:
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


def _check_pool(pool: aiplatform_v1.WorkerPoolSpec, path: str, number: int) -> None:
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


def _check_task(pool: aiplatform_v1.WorkerPoolSpec, path: str) -> None:
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
