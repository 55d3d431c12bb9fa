"""Several trained models that predict as one: the mean of their probabilities."""

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

_SIGN = re.compile(r"\w")  # a class of one letter, syllable or digit


class Ensemble:
    """The weighted mean of the probabilities of several runs, and of mirrored drawings.

    Args:
        models: the trained models; they must have classes of the same names, in any order, and
            agree on the images they take. Some may take images, others ink.
        weights: how much each counts; all the same when not given.
        flip: also predict the mirrored drawings, and take the mean.

    Attributes:
        models: the trained models.
        labels: names of the classes, in the label order of the first.
        named: whether they are names, or numbers where nobody named the classes.
        weights: how much each model counts, 1 together.
        places: where the classes are among each model's own.
        takes: of each model, the component that says what it takes.
        inputs: the names of what they take together.
        flip: whether mirrored drawings are predicted, too.
        run: of the first model that takes images, or else the first.

    Raises:
        QuickdrawError: other classes or another image size in one of them, or as many weights as
            there are models is not what there is.
    """

    def __init__(
        self,
        models: Sequence[TrainedModel],
        weights: Sequence[float] | None = None,
        flip: bool = False,
    ):
        self.models, self.labels = list(models), models[0].labels
        self.named = models[0].run.named
        # Where the first one's classes are among each model's own.
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
        """Return one of the models as an ensemble of its own; the classes keep their order."""
        found = Ensemble([self.models[number]], flip=self.flip)
        found.labels, found.named, found.places = self.labels, self.named, [self.places[number]]
        return found

    def reader(self, kind: type[factory.R], on_bad_record: OnBadRecord) -> factory.R:
        """Make a reader that hands out what all the models take."""
        return factory.reader_for(self.run, kind, on_bad_record, self.inputs, self.max_points)

    @property
    def max_points(self) -> int:
        """How many points of the ink the models see, at most."""
        return max(each.max_points for each in self.takes)

    def open_records(self, reader: BaseReader, patterns: str) -> Shards:
        """Open the records that patterns name; see `factory.open_records`."""
        run = dataclasses.replace(self.run, labels=self.labels, named=self.named)
        return factory.open_records(run, reader, patterns)

    def probabilities(self, arrays: dict[str, np.ndarray]) -> np.ndarray:
        """Predict a batch as `reader` makes it.

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
        """Yield the logits of one model after the other, of a batch as `reader` makes it.

        Args:
            arrays: as for `probabilities`.

        Yields:
            float32 `[batch, num_classes]`, in the order of `labels`.
        """
        for number, places in enumerate(self.places):
            yield self.models[number].logits(self.inputs_of(number, arrays))[:, places]

    def inputs_of(self, number: int, arrays: dict[str, np.ndarray]) -> ModelInputs:
        """Return what one of the models takes of a batch as `reader` makes it.

        Args:
            number: of the model, from 0.
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
    """Return the column of each name among a model's own; all as they are for the same list."""
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
    """Warn where `--tta`, which mirrors all drawings, turns some into others, such as digits."""
    if kept := run.settings["augment"].get("never_flip"):
        log(f"warning: --tta mirrors all drawings; {train_dir} was trained with never_flip={kept}")
    elif run.named and (signs := [label for label in run.labels if _SIGN.fullmatch(label)]):
        log(
            f"warning: --tta mirrors all drawings, and letters and digits are others then: "
            f"{', '.join(signs[:5])}{', …' * (len(signs) > 5)} in {train_dir}"
        )
