"""The JobService of Vertex AI: creates, follows, cancels and lists jobs."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator
from typing import Any

from absl import flags

from quickdraw.errors import QuickdrawError
from quickdraw.progress import log

LABEL = "quickdraw"
"""The label by which one's jobs are found again."""


def define_flags(values: flags.FlagValues) -> None:
    """Defines the flags that say where the service is."""
    flags.DEFINE_string(
        "project", None, "Google Cloud project. Without it, that of the login.", flag_values=values
    )
    flags.DEFINE_string("region", "us-central1", "Region of the jobs.", flag_values=values)
    flags.DEFINE_enum(
        "transport",
        "grpc",
        ["grpc", "rest"],
        "How to speak with Vertex AI; rest passes proxies that know HTTP/1 only.",
        flag_values=values,
    )


def define_poll_flag(values: flags.FlagValues) -> None:
    """Defines `--poll_seconds` for the commands that follow a job."""
    flags.DEFINE_float(
        "poll_seconds",
        20.0,
        "How often to ask for the state of a job.",
        lower_bound=0.1,
        flag_values=values,
    )


def first_word_as(flag: str, argv: list[str]) -> list[str]:
    """`program train --x` → `program --job=train --x`, to be parsed like any other flag."""
    if len(argv) > 1 and not argv[1].startswith("-"):
        return [argv[0], f"--{flag}={argv[1]}", *argv[2:]]
    return argv


def project(values: flags.FlagValues) -> str:
    """The project that the flags or the login name.

    Raises:
        QuickdrawError: neither does.
    """
    if found := values.project or os.environ.get("GOOGLE_CLOUD_PROJECT"):
        return found
    import google.auth

    with explained("Google Cloud"):
        found = google.auth.default()[1]
    if not found:
        raise QuickdrawError("no project: give --project, or gcloud config set project …")
    return found


@contextlib.contextmanager
def explained(what: str) -> Iterator[None]:
    """Turns Google's exceptions about `what` into one line for the user."""
    from google.api_core import exceptions
    from google.auth.exceptions import GoogleAuthError

    try:
        yield
    except (exceptions.Unauthenticated, exceptions.Unauthorized, GoogleAuthError) as error:
        raise QuickdrawError(
            f"{what}: not logged in, or the token is refused ({_line(error)}): gcloud auth "
            "application-default login"
        ) from None
    except (exceptions.PermissionDenied, exceptions.Forbidden) as error:
        raise QuickdrawError(
            f"{what}: access denied; roles/aiplatform.user is needed, and the API "
            f"aiplatform.googleapis.com enabled ({_line(error)})"
        ) from None
    except exceptions.GoogleAPICallError as error:
        raise QuickdrawError(f"{what}: {_line(error)}") from None


def _line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0][:300]


def parent(values: flags.FlagValues) -> str:
    """The resource name of the project's region, below which everything is."""
    return f"projects/{project(values)}/locations/{values.region}"


def connect(kind: Any, values: flags.FlagValues) -> Any:
    """A client, of this class, of one of Vertex AI's services in the region."""
    endpoint = {"api_endpoint": f"{values.region}-aiplatform.googleapis.com"}
    with explained("Vertex AI"):
        return kind(transport=values.transport, client_options=endpoint)


class Jobs:
    """The jobs of a project in a region.

    Args:
        values: flags of `define_flags`.
    """

    def __init__(self, values: flags.FlagValues):
        from google.cloud import aiplatform_v1

        self._parent, self._poll_seconds = parent(values), values.poll_seconds
        self._service = connect(aiplatform_v1.JobServiceClient, values)

    def create(self, name: str, message: Any, labels: dict[str, str]) -> str:
        """Submits a checked spec; returns the job's resource name."""
        from google.cloud import aiplatform_v1

        with explained("Vertex AI"):
            if isinstance(message, aiplatform_v1.HyperparameterTuningJob):
                message.display_name, message.labels = name, labels
                return self._service.create_hyperparameter_tuning_job(
                    parent=self._parent, hyperparameter_tuning_job=message
                ).name
            job = aiplatform_v1.CustomJob(display_name=name, job_spec=message, labels=labels)
            return self._service.create_custom_job(parent=self._parent, custom_job=job).name

    def get(self, job: str) -> Any:
        """The job with this resource name or number."""
        name = self._name(job)
        with explained(name):
            if "/hyperparameterTuningJobs/" in name:
                return self._service.get_hyperparameter_tuning_job(name=name)
            return self._service.get_custom_job(name=name)

    def follow(self, job: str) -> None:
        """Prints the states of a job until it ends.

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
        """Asks for the end of a job."""
        name = self._name(job)
        with explained(name):
            if "/hyperparameterTuningJobs/" in name:
                self._service.cancel_hyperparameter_tuning_job(name=name)
            else:
                self._service.cancel_custom_job(name=name)

    def list(self) -> list[tuple[str, str, str]]:
        """Number, state and name of the jobs submitted from here, the newest first."""
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


def _number(job: Any) -> str:
    """The number by which `follow` and `cancel` know a job."""
    number = job.name.rpartition("/")[2]
    return f"tune-{number}" if "/hyperparameterTuningJobs/" in job.name else number


def _state(job: Any) -> str:
    return job.state.name.removeprefix("JOB_STATE_")
