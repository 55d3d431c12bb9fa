"""What tests of export and serving share: models of the zoo with weights that no training made."""

from __future__ import annotations

from typing import Any

import numpy as np

from quickdraw.runs import factory
from quickdraw.runs.record import Run
from quickdraw.runs.trained import TrainedModel

LABELS = ["cat", "dog", "ice cream", "sun"]
SMALL: dict[str, dict[str, Any]] = {
    "LogisticModel": {},
    "MlpModel": {},
    "CnnModel": {"filters": [4, 8], "dense_units": 16},
    "ResNetModel": {"filters": [4, 8], "blocks": [1, 1]},
    "MobileNetModel": {},
    "StrokeRnnModel": {"filters": [8, 8], "units": [8], "max_points": 32},
    "StrokeTransformerModel": {"width": 16, "heads": 2, "blocks": 1, "max_points": 32},
    "FusionModel": {"filters": [8, 8], "max_points": 32},
}


def untrained(model: str, **changes: Any) -> TrainedModel:
    """A model of the zoo, small, with random weights and statistics, as if it had been trained."""
    settings = {
        "train_data_pattern": "gone/train-*",
        "eval_data_pattern": None,
        "precision": changes.pop("precision", "float32"),
    }
    fields = {"labels": LABELS, "image_size": 20, "channels": 1, **changes}
    run = Run(
        model=model,
        model_params=SMALL.get(model, {}),
        label_loss="CrossEntropyLoss",
        loss_params={},
        resized=False,
        settings=settings,
        data_fingerprint="",
        **fields,
    )
    made = factory.build_model(run)
    rng = np.random.default_rng(len(model))
    for variable in made.weights:
        value = rng.normal(0, 0.3, variable.shape)
        variable.assign(np.abs(value) + 0.5 if "variance" in variable.path else value)
    return TrainedModel(made, run, 7, temperature=1.3)
