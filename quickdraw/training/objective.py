"""What a model is trained for: its loss, with the features, teachers and weights it asks for."""

from __future__ import annotations

import math
import reprlib
from collections.abc import Callable

import keras
import numpy as np
import tensorflow as tf

from quickdraw import cores, runs, storage
from quickdraw.components.component import parse_params
from quickdraw.components.inputs import unwrapped
from quickdraw.errors import QuickdrawError, did_you_mean
from quickdraw.losses import BaseLoss
from quickdraw.models import BaseModel
from quickdraw.records import labels as class_names
from quickdraw.runs import factory
from quickdraw.training.settings import Settings
from quickdraw.training.trial import check_logits


class Objective:
    """The loss of a batch in training: `logits, losses = objective(drawings, labels)`.

    To be made under the strategy's scope.

    Args:
        loss: the loss.
        model: what is trained.
        settings: teachers and class weights.
        names: of the classes.
        labels: of all training drawings.

    Attributes:
        variables: of the loss; checkpoints keep them.
    """

    def __init__(
        self,
        loss: BaseLoss,
        model: keras.Model,
        settings: Settings,
        names: list[str],
        labels: np.ndarray,
    ):
        # The step does without AutoGraph, which takes half a second; what a student wrote may not.
        # The cast is inside: on a GPU, int32 would go to the host and back between two functions.
        @tf.function
        def calculate_loss(logits: tf.Tensor, labels: tf.Tensor, **asked: tf.Tensor) -> tf.Tensor:
            return loss.calculate_loss(logits, tf.cast(labels, tf.int32), **asked)

        self._calculate_loss, self._forward = calculate_loss, model
        self._by_drawing = cores.goes_by_drawing(model)
        self._looked = False
        self.variables: list[tf.Variable] = []
        if loss.needs_features:
            classifier = loss.last_dense(model)
            self._forward = keras.Model(model.input, [model.output, classifier.input])
            self.variables = loss.build(classifier)
        self._teachers = [_teacher(folder, names) for folder in _folders(settings)]
        self._class_weights = class_weights(settings.class_weights, names, labels)

    def __call__(
        self, drawings: dict[str, tf.Tensor], labels: tf.Tensor, *mixed: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Return logits and losses of a batch, in training mode.

        The loss of a mixed image is the mean of those for both labels, weighted by share, whatever
        the loss.

        Args:
            drawings: by input: `image`, uint8 `[batch, size, size, channels]`; `ink`, int16
                `[batch, max_points, 3]`.
            labels: int64 `[batch]`.
            mixed: none, or the other labels, int64 `[batch]`, and the share of `labels`, float32
                `[batch]`; see `augmentation.Mixed`.

        Returns:
            Logits, float32 `[batch, num_classes]`, and losses, float32 `[batch]`.
        """
        # The logits come together again before the loss, which may look at the whole batch.
        outputs = (
            cores.in_shares(self._outputs, drawings)
            if self._by_drawing
            else self._outputs(drawings)
        )
        logits, *features = (tf.cast(output, tf.float32) for output in outputs)
        asked: dict[str, tf.Tensor] = {}
        if features:
            asked["features"] = features[0]
        if self._teachers:
            asked["teacher_logits"] = self._teach(drawings)
        losses = self._losses(logits, labels, asked)
        if mixed:
            others, share = mixed
            losses = share * losses + (1 - share) * self._losses(logits, others, asked)
        return logits, losses

    def _outputs(self, drawings: dict[str, tf.Tensor]) -> list[tf.Tensor]:
        outputs = tf.nest.flatten(self._forward(unwrapped(drawings), training=True))
        if not self._looked and not tf.executing_eagerly():
            self._looked = True
            check_logits(outputs[0])
        return outputs

    def _losses(
        self, logits: tf.Tensor, labels: tf.Tensor, asked: dict[str, tf.Tensor]
    ) -> tf.Tensor:
        losses = tf.cast(self._calculate_loss(logits, labels, **asked), tf.float32)
        if self._class_weights is not None:
            losses *= tf.gather(self._class_weights, labels)
        return losses

    def _teach(self, drawings: dict[str, tf.Tensor]) -> tf.Tensor:
        """Return the mean of the teachers' logits: the geometric mean of their probabilities."""
        answers = [cores.in_shares(teach, unwrapped(drawings)) for teach in self._teachers]
        total = tf.add_n([tf.cast(answer, tf.float32) for answer in answers])
        return tf.stop_gradient(total / len(answers))


def _teacher(
    folder: str, names: list[str]
) -> Callable[[tf.Tensor | dict[str, tf.Tensor]], tf.Tensor]:
    """Return the function from a batch to a run's logits, in the order of these names."""
    trained = runs.load(folder)
    if class_names.same(names, trained.labels):
        return lambda inputs: trained.model(inputs, training=False)
    places = class_names.numbers_in(names, trained.labels)
    return lambda inputs: tf.gather(trained.model(inputs, training=False), places, axis=1)


def _folders(settings: Settings) -> list[str]:
    return storage.folders_in(settings.teacher_dir) if settings.teacher_dir else []


def check_teacher_given(settings: Settings, loss: BaseLoss) -> None:
    """Check that there is a teacher for a loss that needs one, and for no other.

    Raises:
        QuickdrawError: it is not so.
    """
    if bool(settings.teacher_dir) != loss.needs_teacher:
        raise QuickdrawError(
            "--teacher_dir and a loss that learns from a teacher (--label_loss=DistillationLoss) "
            f"go together. Received: {settings.teacher_dir or 'no --teacher_dir'} and "
            f"{type(loss).__name__}"
        )


def teachers_of(settings: Settings) -> list[str]:
    """Return when each teacher's run was begun: another one in its folder teaches otherwise."""
    return [runs.read(folder).started for folder in _folders(settings)]


def check_teachers(
    settings: Settings, model: BaseModel, labels: list[str], image_size: int, channels: int
) -> None:
    """Check that the teachers know what is to be taught; `labels` may not be known yet (empty).

    Raises:
        QuickdrawError: no such run, or a teacher with other classes or images.
    """
    for folder in _folders(settings):
        teacher = runs.read(folder)
        taught = factory.create_model(teacher)
        if labels and not class_names.same_classes(labels, teacher.labels):
            raise class_names.differ(folder, teacher.labels, "what it teaches", labels)
        for what, mine, theirs in (
            ("image size", image_size, teacher.image_size),
            ("number of channels", channels, teacher.channels),
            ("inputs", model.inputs, taught.inputs),
            ("number of points", model.max_points, taught.max_points),
        ):
            if mine != theirs:
                raise QuickdrawError(
                    f"{folder}: a teacher must have the {what} of what it teaches: "
                    f"{reprlib.repr(mine)} expected. Received: {reprlib.repr(theirs)}"
                )


def class_weights(
    chosen: str | dict[str, float] | None, names: list[str], labels: np.ndarray
) -> np.ndarray | None:
    """Return the weight of an example of each class in the loss, as `--class_weights` says.

    Args:
        chosen: "balanced" (inverse frequency, 1 on average over the examples), or weights by name;
            None for no weights.
        names: of the classes.
        labels: of all training drawings, int `[n]`.

    Returns:
        float32 `[num_classes]`, or None.

    Raises:
        QuickdrawError: an unknown class, or a weight that is none.
    """
    if not chosen:
        return None
    if chosen == "balanced":
        counts = np.bincount(labels, minlength=len(names))
        mean = len(labels) / np.count_nonzero(counts)
        return (mean / np.maximum(counts, 1)).astype(np.float32)
    weights = dict.fromkeys(names, 1.0)
    for name, weight in given_weights(chosen).items():
        if name not in weights:
            raise QuickdrawError(f"--class_weights: no class {name!r}{did_you_mean(name, names)}")
        weights[name] = weight
    return np.array(list(weights.values()), np.float32)


def given_weights(chosen: str | dict[str, float] | None) -> dict[str, float]:
    """Return the weights that `--class_weights` gives by name.

    Raises:
        QuickdrawError: it cannot be understood, or a weight is none.
    """
    if not chosen or chosen == "balanced":
        return {}
    try:
        given = parse_params(chosen) if isinstance(chosen, str) else chosen
    except QuickdrawError:
        raise QuickdrawError(
            f'--class_weights: balanced, or weights such as "cat=2, dog=3", expected. '
            f"Received: {chosen!r}"
        ) from None
    for name, weight in given.items():
        if type(weight) not in (int, float) or not 0 <= weight < math.inf:
            raise QuickdrawError(
                f"--class_weights: 0 or more expected for {name!r}. Received: {weight!r}"
            )
    return given
