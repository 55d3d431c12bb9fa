"""Names in Google Cloud that flags give: wrong ones are told here, not by a server later.

Each function raises a UsageError for a name that nothing can have.
"""

from __future__ import annotations

import re

from quickdraw.errors import UsageError

_BUCKET = re.compile(r"[a-z0-9][a-z0-9._-]{1,61}[a-z0-9]")
_PROJECT = re.compile(r"[a-z0-9][a-z0-9.:-]*")
_RUN = re.compile(r"[a-z]([a-z0-9_-]{0,61}[a-z0-9])?")
_EXPERIMENT = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
_IMAGE = re.compile(
    r"(?P<path>[a-z0-9][a-z0-9.-]*(/[a-z0-9]+([._-]+[a-z0-9]+)*)+)"
    r"(:[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?(@sha256:[0-9a-f]{64})?"
)
_REGISTRY_PARTS = 4  # of a path in Artifact Registry: host, project, repository, image
_OLDEST_PYTHON = 11
_REGION = re.compile(
    r"(africa|asia|australia|europe|me|northamerica|southamerica|us)-"
    r"(central|(north|south)?(east|west)?)\d{1,2}"
)


def region(name: str) -> None:
    """Check the value of --region."""
    if not _REGION.fullmatch(name):
        zone = re.fullmatch(rf"({_REGION.pattern})-[a-z]", name)
        raise UsageError(
            "--region: a region of Google Cloud, such as us-central1 or europe-west4, expected. "
            f"Received: {name!r}{f', which is a zone of {zone[1]}' if zone else ''}"
        )


def project(name: str) -> None:
    """Check the value of --project."""
    if not _PROJECT.fullmatch(name):
        raise UsageError(
            "--project: the id of a project, small letters, digits and -, expected (see gcloud "
            f"projects list). Received: {name!r}"
        )


def bucket(name: str | None) -> None:
    """Check the value of --bucket."""
    if not name or "/" in name:
        raise UsageError("--bucket is needed: the name of a bucket, without gs://")
    if not _BUCKET.fullmatch(name):
        raise UsageError(
            "--bucket: small letters, digits, -, _ and dots expected, 3 to 63 of them. "
            f"Received: {name!r}"
        )


def service_account(name: str) -> None:
    """Check the value of --service_account, if there is one."""
    if name and not re.fullmatch(r"[^@\s]+@[^@\s]+\.gserviceaccount\.com", name):
        raise UsageError(
            "--service_account: the address of a service account, such as "
            f"trainer@my-project.iam.gserviceaccount.com, expected. Received: {name!r}"
        )


def tensorboard(name: str, region: str) -> None:
    """Check the value of --tensorboard, if there is one."""
    match = re.fullmatch(r"projects/[^/]+/locations/([^/]+)/tensorboards/\d+", name)
    if name and not match:
        raise UsageError(
            f"--tensorboard: projects/PROJECT/locations/{region}/tensorboards/NUMBER expected "
            f"(gcloud ai tensorboards list --region={region}). Received: {name!r}"
        )
    if match and match[1] != region:
        raise UsageError(
            f"--tensorboard lies in {match[1]}, the job would run in {region}: they must be in one "
            "region"
        )


def image(flag: str, name: str | None) -> None:
    """Check the value of a flag that names a container image, if there is one.

    Args:
        flag: its name.
        name: its value.
    """
    match = _IMAGE.fullmatch(name or "")
    registry = name and name.partition("/")[0].endswith("docker.pkg.dev")
    if name and (not match or (registry and match["path"].count("/") + 1 < _REGISTRY_PARTS)):
        raise UsageError(
            f"--{flag}: the URI of an image, such as us-central1-docker.pkg.dev/my-project/"
            f"quickdraw/train:latest, expected. Received: {name!r}"
        )


def prebuilt_image(name: str | None) -> None:
    """Check the value of --prebuilt_image, if there is one, by what Google's names say."""
    image("prebuilt_image", name)
    python = re.search(r"\.py3(\d+)", name or "")
    if python and int(python[1]) < _OLDEST_PYTHON:
        raise UsageError(
            f"--prebuilt_image: an image with Python 3.{_OLDEST_PYTHON} or newer expected. "
            f"Received: {name!r}"
        )
    if re.search(r"/\w+-cpu\.", name or ""):
        raise UsageError(
            "--prebuilt_image: an image for GPUs expected, as the job pays for them. "
            f"Received: {name!r}"
        )


def gs_path(flag: str, path: str) -> None:
    """Check a path of Cloud Storage, or a pattern, that a flag names."""
    name, _, rest = path.removeprefix("gs://").partition("/")
    if not _BUCKET.fullmatch(name) or not rest:
        raise UsageError(
            f"--{flag}: gs://BUCKET/… expected, with small letters, digits, -, _ and dots in the "
            f"name of the bucket. Received: {path!r}"
        )


def run(name: str) -> None:
    """Check the name of a run: it is part of paths, of a job's name and of a model's."""
    if not _RUN.fullmatch(name):
        raise UsageError(
            "--run: small letters, digits, - and _ expected, 63 at most, a letter first. "
            f"Received: {name!r}"
        )


def experiment(name: str) -> None:
    """Check the name of an experiment."""
    if not _EXPERIMENT.fullmatch(name):
        raise UsageError(f"--experiment: small letters, digits and - expected. Received: {name!r}")
