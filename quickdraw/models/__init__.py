"""Models: a drawing in, logits out. Students write theirs anywhere, and say `--model=module.Class`.

    class MyModel(BaseModel):
        units: int = 64                       # set with --model_params="units=128"

        def create_model(self, images, num_classes):
            x = layers.Flatten()(images)
            x = layers.Dense(self.units, activation="relu")(x)
            return layers.Dense(num_classes)(x)

A model can take strokes instead of images, or both; see `BaseModel`, and strokes.py for examples.
"""

from quickdraw.models.base import BaseModel
from quickdraw.models.images import (
    CnnModel,
    LogisticModel,
    MlpModel,
    MobileNetModel,
    ResNetModel,
)
from quickdraw.models.strokes import FusionModel, StrokeRnnModel, StrokeTransformerModel

__all__ = [
    "BaseModel",
    "CnnModel",
    "FusionModel",
    "LogisticModel",
    "MlpModel",
    "MobileNetModel",
    "ResNetModel",
    "StrokeRnnModel",
    "StrokeTransformerModel",
]
