"""Ensembles: the mean of the probabilities of several trained models."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator, Sequence

import numpy as np

from quickdraw.components.inputs import ModelInputs, mirrored, part, unwrapped
from quickdraw.console import log
from quickdraw.errors import QuickdrawError
from quickdraw.readers import BaseReader
from quickdraw.records import labels
from quickdraw.records.shards import OnBadRecord, Shards
from quickdraw.runs import factory
from quickdraw.runs.record import Run
from quickdraw.runs.trained import TrainedModel

_SIGN = re.compile(r"\w")  # a class that is a single letter, syllable or digit


class Ensemble:
    """The weighted mean of the probabilities of several runs, and of mirrored drawings.

    Args:
        models: the trained models; they must have the same class names, in any order, and the same
            image format. Some may take images, others ink.
        weights: of the models in the mean; equal if not given.
        flip: average the predictions of each drawing and its mirror image.

    Attributes:
        models: the trained models.
        labels: names of the classes, in the label order of the first model.
        named: whether the classes have names, or only numbers.
        weights: of the models; their sum is 1.
        places: the columns of the classes in each model's output.
        takes: the `BaseModel` of each, which defines its inputs.
        inputs: the union of their inputs, by name.
        flip: see above.
        run: of the first model that takes images, or else of the first.

    Raises:
        QuickdrawError: the classes or image formats differ, or the number of weights is not that
            of the models.
    """

    def __init__(
        self,
        models: Sequence[TrainedModel],
        weights: Sequence[float] | None = None,
        flip: bool = False,
    ):
        self.models, self.labels = list(models), models[0].labels
        self.named = models[0].run.named
        # The columns of the first model's classes in each model's output.
        self.places = [_places(self.labels, model.labels) for model in models]
        self.flip = flip
        every = [model.run for model in models]
        self.takes = [factory.create_model(run) for run in every]
        self.inputs = tuple(sorted({name for each in self.takes for name in each.inputs}))
        see = [run for run, each in zip(every, self.takes, strict=True) if "image" in each.inputs]
        self.run = (see or every)[0]
        _check_same(see, "image_size", "channels", "resized")
        shares = np.ones(len(models)) if weights is None else np.asarray(weights, float)
        if len(shares) != len(models) or not shares.sum() > 0 or (shares < 0).any():
            raise QuickdrawError(
                f"{len(models)} weights of 0 and more expected, one a run. Received: {weights}"
            )
        self.weights = shares / shares.sum()

    def alone(self, number: int) -> Ensemble:
        """Return one of the models as an ensemble of one; the class order stays."""
        found = Ensemble([self.models[number]], flip=self.flip)
        found.labels, found.named, found.places = self.labels, self.named, [self.places[number]]
        return found

    def reader(self, kind: type[factory.R], on_bad_record: OnBadRecord) -> factory.R:
        """Make a reader of the inputs of all models."""
        return factory.reader_for(self.run, kind, on_bad_record, self.inputs, self.max_points)

    @property
    def max_points(self) -> int:
        """The most points of ink that any of the models takes."""
        return max(each.max_points for each in self.takes)

    def open_records(self, reader: BaseReader, patterns: str) -> Shards:
        """Open the records of patterns; see `factory.open_records`."""
        run = dataclasses.replace(self.run, labels=self.labels, named=self.named)
        return factory.open_records(run, reader, patterns)

    def probabilities(self, arrays: dict[str, np.ndarray]) -> np.ndarray:
        """Predict a batch of `reader`.

        Args:
            arrays: by input: `image`, uint8 `[batch, size, size, channels]`; `ink`, int16 `[batch,
                max_points, 3]`.

        Returns:
            float32 `[batch, num_classes]`.
        """
        total = self._mean(arrays)
        if self.flip:
            total = (total + self._mean(mirrored(arrays))) / 2
        return np.asarray(total, np.float32)

    def logits(self, arrays: dict[str, np.ndarray]) -> Iterator[np.ndarray]:
        """Yield the logits of each model for a batch of `reader`.

        Args:
            arrays: as for `probabilities`.

        Yields:
            float32 `[batch, num_classes]`, in the order of `labels`.
        """
        for number, places in enumerate(self.places):
            yield self.models[number].logits(self.inputs_of(number, arrays))[:, places]

    def inputs_of(self, number: int, arrays: dict[str, np.ndarray]) -> ModelInputs:
        """Return the inputs of one of the models from a batch of `reader`.

        Args:
            number: the index of the model.
            arrays: as for `probabilities`.

        Returns:
            `image`, uint8 `[batch, size, size, channels]`, or `ink`, int16 `[batch, its max_points,
            3]`, or a dictionary of both.
        """
        takes = self.takes[number]
        return unwrapped(part(arrays, takes.inputs, takes.max_points))

    def _mean(self, arrays: dict[str, np.ndarray]) -> np.ndarray:
        total: np.ndarray | int = 0
        for number, (weight, model) in enumerate(zip(self.weights, self.models, strict=True)):
            scores = model.probabilities(self.inputs_of(number, arrays))
            total += weight * scores[:, self.places[number]]
        return np.asarray(total)


def _places(names: list[str], own: list[str]) -> slice | list[int] | None:
    """Return the index of each name in a model's own labels; a full slice for equal lists."""
    if not labels.same_classes(names, own):
        raise labels.differ("a run of the ensemble", own, "the first run", names)
    return slice(None) if labels.same(names, own) else labels.numbers_in(names, own)


def _check_same(every: list[Run], *names: str) -> None:
    for run in every[1:]:
        for name in names:
            first, other = getattr(every[0], name), getattr(run, name)
            if first != other:
                raise QuickdrawError(
                    f"the runs of an ensemble must have the same {name}. Received: {first} "
                    f"and {other}"
                )


def warn_of_mirroring(train_dir: str, run: Run) -> None:
    """Warn if `--tta`, which mirrors drawings, changes the meaning of some, such as digits."""
    if kept := run.settings["augment"].get("never_flip"):
        log(f"warning: --tta mirrors all drawings; {train_dir} was trained with never_flip={kept}")
    elif run.named and (signs := [label for label in run.labels if _SIGN.fullmatch(label)]):
        log(
            f"warning: --tta mirrors all drawings, and letters and digits are others then: "
            f"{', '.join(signs[:5])}{', …' * (len(signs) > 5)} in {train_dir}"
        )
