"""A run on an MLflow server, through MlflowClient: no active run, no global state."""

from __future__ import annotations

import getpass
import os
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from quickdraw.errors import QuickdrawError
from quickdraw.tracking.mlflow_options import check_installed
from quickdraw.tracking.mlflow_state import Sent

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run

# Defaults, unless the user sets them: otherwise the client sends telemetry, prints, and retries
# an unreachable server for minutes.
_DEFAULTS = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "1",
}
_LONGEST = 200


class ServerRun:
    """A run on a server, created there at its first use.

    Args:
        sent: the server, the experiment, and what was sent; `run_id` is filled in.
        name: of the run there.
        started: its start, in milliseconds since 1970.

    Raises:
        QuickdrawError: MLflow is not installed; each method raises it, too, if the server is
            unreachable or refuses.
    """

    def __init__(self, sent: Sent, name: str, started: int):
        check_installed()
        self._sent, self._client = sent, _client(sent.uri)
        try:
            self._experiment = self._find_experiment()
            there = self._find_run()
            if there is None:
                tags = {"quickdraw.key": sent.key, "mlflow.user": _user()}
                there = self._client.create_run(self._experiment, started, tags, name)
        except Exception as error:  # the client's libraries raise many kinds
            raise explained(sent.uri, error) from None
        sent.run_id, self._parameters = there.info.run_id, dict(there.data.params)
        self.status = there.info.status

    @property
    def url(self) -> str:
        """The address of the run in a browser."""
        return f"{self._sent.uri}/#/experiments/{self._experiment}/runs/{self._sent.run_id}"

    def log(
        self,
        metrics: Iterable[tuple[str, float, int, int]] = (),
        parameters: Mapping[str, object] | None = None,
        tags: dict[str, str] | None = None,
    ) -> None:
        """Log metrics as (name, value, milliseconds since 1970, step); parameters; tags.

        Parameters that the server has are left out, since MLflow cannot change them.
        """
        from mlflow.entities import Metric, Param, RunTag

        new = {name: of for name, of in (parameters or {}).items() if name not in self._parameters}
        try:
            self._client.log_batch(
                self._sent.run_id,
                [Metric(*each) for each in metrics],
                [Param(name, str(value)) for name, value in new.items()],
                [RunTag(*pair) for pair in (tags or {}).items()],
                synchronous=True,
            )
        except Exception as error:
            raise explained(self._sent.uri, error) from None
        self._parameters |= {name: str(value) for name, value in new.items()}

    def steps(self, name: str) -> set[int]:
        """Return the steps at which the server has a metric."""
        try:
            points = self._client.get_metric_history(self._sent.run_id, name)
        except Exception as error:
            raise explained(self._sent.uri, error) from None
        return {point.step for point in points}

    def upload(self, path: str) -> None:
        """Upload a local file or folder as an artifact."""
        upload = self._client.log_artifacts if os.path.isdir(path) else self._client.log_artifact
        below = [os.path.basename(path)] if os.path.isdir(path) else []
        try:
            upload(self._sent.run_id, path, *below)
        except Exception as error:
            raise explained(self._sent.uri, error) from None

    def set_status(self, status: str, ended: int | None = None) -> None:
        """Set RUNNING, FINISHED, FAILED or KILLED; `ended` defaults to now."""
        if status == self.status:
            return
        try:
            if status == "RUNNING":
                self._client.update_run(self._sent.run_id, status)
            else:
                self._client.set_terminated(self._sent.run_id, status, ended)
        except Exception as error:
            raise explained(self._sent.uri, error) from None
        self.status = status

    def _find_experiment(self) -> str:
        name = self._sent.experiment
        there = self._client.get_experiment_by_name(name)
        if there is None:
            try:
                return self._client.create_experiment(name)
            except Exception:  # a concurrent run may have created it
                there = self._client.get_experiment_by_name(name)
                if there is None:
                    raise
        if there.lifecycle_stage == "deleted":
            raise ValueError(f"the experiment {name!r} was deleted: restore it, or name another")
        return there.experiment_id

    def _find_run(self) -> Run | None:
        """Find the run by its key tag, for when the response with its id was lost."""
        wanted = f"tags.`quickdraw.key` = '{self._sent.key}'"
        found = self._client.search_runs([self._experiment], wanted, max_results=1)
        return found[0] if found else None


def _client(uri: str) -> MlflowClient:
    for name, value in _DEFAULTS.items():
        os.environ.setdefault(name, value)
    from mlflow import MlflowClient

    return MlflowClient(tracking_uri=uri)


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # users of containers may have no name
        return "unknown"


def explained(uri: str, error: Exception) -> QuickdrawError:
    """Return a one-line error for any exception of MLflow's client."""
    text = " ".join(str(error).split()) or type(error).__name__
    causes = {
        "Connection refused": "nobody answers there",
        "Name or service not known": "there is no such host",
        "Read timed out": "it takes too long to answer",
        "Invalid Host header": "it refuses this name (mlflow server --allowed-hosts=…)",
    }
    short = next((short for words, short in causes.items() if words in text), text[:_LONGEST])
    return QuickdrawError(f"MLflow at {uri}: {short}")
