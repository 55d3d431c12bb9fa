"""Several trained models that predict as one: the mean of their probabilities."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from quickdraw import runs
from quickdraw.errors import QuickdrawError


class Ensemble:
    """The weighted mean of the probabilities of several runs, and of mirrored drawings.

    Args:
        models: the trained models; they must agree on labels and image size.
        weights: how much each counts; all the same when not given.
        flip: also predict the mirrored drawings, and take the mean.

    Attributes:
        models: the trained models.
        labels: names of the classes, in label order.

    Raises:
        QuickdrawError: other labels or another image size in one of them, or as many weights as
            there are models is not what there is.
    """

    def __init__(
        self,
        models: Sequence[runs.TrainedModel],
        weights: Sequence[float] | None = None,
        flip: bool = False,
    ):
        self.models, self.labels = list(models), models[0].labels
        self._flip = flip
        for model in models[1:]:
            for name in ("labels", "image_size", "channels", "resized"):
                first, other = getattr(models[0].run, name), getattr(model.run, name)
                if first != other:
                    raise QuickdrawError(
                        f"the runs of an ensemble must have the same {name}. Received: {first} "
                        f"and {other}"
                    )
        shares = np.ones(len(models)) if weights is None else np.asarray(weights, float)
        if len(shares) != len(models) or not shares.sum() > 0 or (shares < 0).any():
            raise QuickdrawError(
                f"{len(models)} weights of 0 and more expected, one a run. Received: {weights}"
            )
        self._weights = shares / shares.sum()

    def probabilities(self, images: Any) -> np.ndarray:
        """Class probabilities of uint8 images `[batch, size, size, channels]`, float32 `[batch,
        num_classes]`."""
        total = sum(
            weight * model.probabilities(images)
            for weight, model in zip(self._weights, self.models, strict=True)
        )
        if not self._flip:
            return np.asarray(total, np.float32)
        mirrored = Ensemble(self.models, self._weights).probabilities(images[:, :, ::-1])
        return ((total + mirrored) / 2).astype(np.float32)
