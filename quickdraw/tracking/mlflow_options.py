"""The flags of MLflow, in a module of their own that does not import MLflow."""

from __future__ import annotations

import dataclasses
import importlib.util
import urllib.parse

from quickdraw.errors import QuickdrawError
from quickdraw.extras import needs
from quickdraw.fields import field

_EXAMPLE = "http://127.0.0.1:5001"


@dataclasses.dataclass(kw_only=True)
class MlflowOptions:
    """The server that the run is logged to, if any.

    Raises:
        QuickdrawError: not the address of a server, or it contains a password.
    """

    mlflow: str | None = field(
        None,
        f"Log the run to the MLflow server at this address, such as {_EXAMPLE}. Needs "
        "pip install 'quickdraw[mlflow]'.",
    )
    mlflow_experiment: str = field(
        "quickdraw", "The experiment of that server in which the run appears."
    )

    def __post_init__(self) -> None:
        if not self.mlflow:
            return
        parts = urllib.parse.urlsplit(self.mlflow)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise QuickdrawError(
                f"--mlflow must be the address of a server, such as {_EXAMPLE}. Received: "
                f"{self.mlflow!r}"
            )
        if parts.username or parts.password:
            raise QuickdrawError(
                "--mlflow holds a name or a password, which would be kept with the run: set the "
                "variables MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD instead"
            )
        if not self.mlflow_experiment.strip():
            raise QuickdrawError("--mlflow_experiment must be a name. Received: ''")
        self.mlflow = self.mlflow.rstrip("/")


def check_installed() -> None:
    """Check that MLflow is installed, without importing it, which takes seconds.

    Raises:
        QuickdrawError: it is not.
    """
    with needs("mlflow"):
        if importlib.util.find_spec("mlflow") is None:
            raise ModuleNotFoundError(name="mlflow")
