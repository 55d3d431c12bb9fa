"""Runs and what reports see of them."""

from __future__ import annotations

import pytest

from quickdraw.report.evaluated import Evaluated, evaluate
from quickdraw.training import Settings, fit


def train(data, folder, model: str, **settings) -> str:
    fit(
        Settings(
            train_data_pattern=data.train,
            eval_data_pattern=data.valid,
            train_dir=str(folder),
            model=model,
            batch_size=20,
            **{"num_epochs": 2.0, **settings},
        )
    )
    return str(folder)


@pytest.fixture(scope="session")
def cnn_run(tmp_path_factory, tiny_data) -> str:
    """Three small convolutions that have learned a little. Only read it."""
    folder = tmp_path_factory.mktemp("runs") / "cnn"
    return train(tiny_data, folder, "CnnModel", model_params={"filters": (4, 4, 4)})


@pytest.fixture(scope="session")
def seen(tiny_run, cnn_run, tiny_data) -> Evaluated:
    """Both runs on the 60 validation drawings."""
    return evaluate([cnn_run, tiny_run], tiny_data.valid)
