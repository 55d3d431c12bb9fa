"""The JobService of Vertex AI: creates, follows, cancels and lists jobs."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Literal, TypeAlias, TypeVar

from quickdraw.console import log
from quickdraw.errors import QuickdrawError
from quickdraw.fields import field
from quickdraw.storage import google_errors
from quickdraw.vertex import resource_names

if TYPE_CHECKING:
    from google.cloud import aiplatform_v1

    AnyJob: TypeAlias = aiplatform_v1.CustomJob | aiplatform_v1.HyperparameterTuningJob

C = TypeVar("C")
LABEL = "quickdraw"
"""The label by which one's jobs are found again."""


@dataclasses.dataclass(kw_only=True)
class ServiceFlags:
    """Where the service is."""

    project: str | None = field(None, "Google Cloud project. Without it, that of the login.")
    region: str = field("us-central1", "Region of the jobs.")
    transport: Literal["grpc", "rest"] = field(
        "grpc", "How to speak with Vertex AI; rest passes proxies that know HTTP/1 only."
    )


@dataclasses.dataclass(kw_only=True)
class PollFlags(ServiceFlags):
    """The same, for commands that follow a job."""

    poll_seconds: float = field(20.0, "How often to ask for the state of a job.", 0.1)


def project(flags: ServiceFlags) -> str:
    """Return the project named by the flags or the login.

    Raises:
        QuickdrawError: neither does.
    """
    if found := flags.project or os.environ.get("GOOGLE_CLOUD_PROJECT"):
        resource_names.project(found)
        return found
    import google.auth

    with explained("Google Cloud"):
        found = google.auth.default()[1]
    if not found:
        raise QuickdrawError("no project: give --project, or gcloud config set project …")
    return found


def explained(what: str) -> contextlib.AbstractContextManager[None]:
    """Turn Vertex AI's exceptions about `what` into one line for the user."""
    return google_errors.explained(what, google_errors.VERTEX)


def parent(flags: ServiceFlags) -> str:
    """Return the resource name of the project's region, below which everything is."""
    resource_names.region(flags.region)
    return f"projects/{project(flags)}/locations/{flags.region}"


def default_image(flags: ServiceFlags) -> str:
    """Return the URI of the image that cloud/cloudbuild.yaml makes."""
    return f"{flags.region}-docker.pkg.dev/{project(flags)}/quickdraw/train:latest"


def connect(kind: Callable[..., C], flags: ServiceFlags) -> C:
    """Return a client of class `kind` for one of Vertex AI's services in the region."""
    endpoint = {"api_endpoint": f"{flags.region}-aiplatform.googleapis.com"}
    with explained("Vertex AI"):
        return kind(transport=flags.transport, client_options=endpoint)


class Jobs:
    """The jobs of a project in a region.

    Args:
        flags: where the service is, and how often to ask for a job's state.
    """

    def __init__(self, flags: PollFlags):
        from google.cloud import aiplatform_v1

        self._parent, self._poll_seconds = parent(flags), flags.poll_seconds
        self._service = connect(aiplatform_v1.JobServiceClient, flags)

    def create(
        self,
        name: str,
        message: aiplatform_v1.CustomJobSpec | aiplatform_v1.HyperparameterTuningJob,
        labels: dict[str, str],
    ) -> str:
        """Submit a checked spec; return the job's resource name."""
        from google.cloud import aiplatform_v1

        with explained("Vertex AI"):
            if isinstance(message, aiplatform_v1.HyperparameterTuningJob):
                message.display_name, message.labels = name, labels
                return self._service.create_hyperparameter_tuning_job(
                    parent=self._parent, hyperparameter_tuning_job=message
                ).name
            job = aiplatform_v1.CustomJob(display_name=name, job_spec=message, labels=labels)
            return self._service.create_custom_job(parent=self._parent, custom_job=job).name

    def get(self, job: str) -> AnyJob:
        """Return the job with this resource name or number."""
        name = self._name(job)
        with explained(name):
            if "/hyperparameterTuningJobs/" in name:
                return self._service.get_hyperparameter_tuning_job(name=name)
            return self._service.get_custom_job(name=name)

    def follow(self, job: str) -> None:
        """Print the states of a job until it ends.

        Raises:
            QuickdrawError: it ended other than well.
        """
        seen = None
        while True:
            found = self.get(job)
            state = _state(found)
            if state != seen:
                log(f"{found.display_name}: {state}")
                seen = state
            if state in ("FAILED", "CANCELLED", "EXPIRED"):
                raise QuickdrawError(f"{found.name}: {state}. {found.error.message}".strip())
            if state == "SUCCEEDED":
                return
            time.sleep(self._poll_seconds)

    def cancel(self, job: str) -> None:
        """Request the cancellation of a job."""
        name = self._name(job)
        with explained(name):
            if "/hyperparameterTuningJobs/" in name:
                self._service.cancel_hyperparameter_tuning_job(name=name)
            else:
                self._service.cancel_custom_job(name=name)

    def list(self) -> list[tuple[str, str, str]]:
        """Return number, state and name of the jobs submitted from here, the newest first."""
        wanted = {"parent": self._parent, "filter": f"labels.{LABEL}=true"}
        with explained(self._parent):
            found = [
                *self._service.list_custom_jobs(wanted),
                *self._service.list_hyperparameter_tuning_jobs(wanted),
            ]
        found.sort(key=lambda job: job.create_time, reverse=True)
        return [(_number(job), _state(job), job.display_name) for job in found]

    def _name(self, job: str) -> str:
        if job.startswith("projects/"):
            return job
        kind = "customJobs" if job.isdecimal() else "hyperparameterTuningJobs"
        return f"{self._parent}/{kind}/{job.removeprefix('tune-')}"


def _number(job: AnyJob) -> str:
    """Return the number by which `follow` and `cancel` know a job."""
    number = job.name.rpartition("/")[2]
    return f"tune-{number}" if "/hyperparameterTuningJobs/" in job.name else number


def _state(job: AnyJob) -> str:
    return job.state.name.removeprefix("JOB_STATE_")
