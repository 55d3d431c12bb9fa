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


def run(name: str) -> None:
    """Check the name of a run: it is part of paths, of a job's name and of a model's."""
    if not _RUN.fullmatch(name):
        raise UsageError(
            f"--run: small letters, digits, - and _ expected, a letter first. Received: {name!r}"
        )


def experiment(name: str) -> None:
    """Check the name of an experiment."""
    if not _EXPERIMENT.fullmatch(name):
        raise UsageError(f"--experiment: small letters, digits and - expected. Received: {name!r}")
