"""`train_dir/mlflow.json`: which run on which MLflow server it is, and what was sent there."""

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
    """What an MLflow server has of a run.

    Attributes:
        uri: the address of the server.
        experiment: the name of the experiment.
        key: a tag of the run there, by which it is found again should its id get lost on its way.
        run_id: the server's name of the run; empty until it answered.
        step: the last step whose figures it has.
        sending: the last step whose figures were being sent: it may have them, too.
        files: of each artifact that it has, the checksum.
        also: paths of artifacts outside the folder.
        machine: facts of the machine that trained.
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
    """Read mlflow.json; return None where there is none.

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
    """Read what this server has of a folder: nothing yet, where the run was logged elsewhere."""
    assert options.mlflow
    there = read(folder)
    if there and (there.uri, there.experiment) == (options.mlflow, options.mlflow_experiment):
        return there
    fresh = Sent(options.mlflow, options.mlflow_experiment)
    if there:
        fresh.also, fresh.machine = there.also, there.machine
    return fresh
