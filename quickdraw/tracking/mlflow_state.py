"""`train_dir/mlflow.json`: the run on an MLflow server, and what was sent to it."""

from __future__ import annotations

import dataclasses
import os
import uuid

from quickdraw import storage
from quickdraw.errors import QuickdrawError
from quickdraw.tracking.mlflow_options import MlflowOptions

FILE_NAME = "mlflow.json"


@dataclasses.dataclass
class Sent:
    """The state of a run on an MLflow server.

    Attributes:
        uri: the address of the server.
        experiment: the name of the experiment.
        key: a tag of the run, the idempotency key by which it is found if the response with its id
            is lost.
        run_id: the server's id of the run; empty before its first response.
        step: the latest step whose figures were sent.
        sending: the latest step of a send in progress: the server may have it, too.
        files: the checksum of each artifact sent.
        also: paths of artifacts outside the folder.
        machine: a description of the machine that trained.
    """

    uri: str
    experiment: str
    key: str = dataclasses.field(default_factory=lambda: uuid.uuid4().hex)
    run_id: str = ""
    step: int = -1
    sending: int = -1
    files: dict[str, str] = dataclasses.field(default_factory=dict)
    also: list[str] = dataclasses.field(default_factory=list)
    machine: dict[str, str] = dataclasses.field(default_factory=dict)

    def save(self, folder: str) -> None:
        """Write mlflow.json, whole or not at all."""
        storage.write_json(os.path.join(folder, FILE_NAME), dataclasses.asdict(self))


def read(folder: str) -> Sent | None:
    """Read mlflow.json; return None if there is none.

    Raises:
        QuickdrawError: it is damaged.
    """
    path = os.path.join(folder, FILE_NAME)
    if not storage.exists(path):
        return None
    try:
        return Sent(**storage.read_json(path))
    except TypeError as error:
        raise QuickdrawError(f"{path}: damaged, or of another version ({error})") from None


def read_for(folder: str, options: MlflowOptions) -> Sent:
    """Read the state for a server: a new one if the run was logged to another server."""
    assert options.mlflow
    there = read(folder)
    if there and (there.uri, there.experiment) == (options.mlflow, options.mlflow_experiment):
        return there
    fresh = Sent(options.mlflow, options.mlflow_experiment)
    if there:
        fresh.also, fresh.machine = there.also, there.machine
    return fresh
