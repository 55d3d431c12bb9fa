"""A trained model: the Keras network together with its run."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Literal

import numpy as np

from quickdraw.components.inputs import ModelInputs
from quickdraw.drawings.rendering import Rendering
from quickdraw.runs import calibration, factory, record
from quickdraw.runs.recognition import Recognises, Takes
from quickdraw.runs.record import Run
from quickdraw.runs.rendering_of import rendering_of

if TYPE_CHECKING:
    import keras
    import tensorflow as tf

_HALF = {"bfloat16", "float16"}

Which = Literal["best", "latest"]
"""Which checkpoint: the best on the validation records, or the latest."""


class TrainedModel(Recognises):
    """A trained model with the names of its classes.

    Attributes:
        model: the Keras model; uint8 images `[batch, size, size, channels]` in, logits out. One
            that takes ink gets int16 `[batch, max_points, 3]` (see `quickdraw.records.ink`)
            instead, or a dictionary of `image` and `ink`.
        labels: names of the classes, in label order.
        step: the number of training steps.
        run: its record.
        temperature: the divisor of the logits before the softmax.
    """

    def __init__(self, model: keras.Model, run: Run, step: int, temperature: float = 1.0):
        import tensorflow as tf

        from quickdraw import cores

        takes = factory.create_model(run)
        super().__init__(
            run.labels, Takes(takes.inputs, run.image_size, run.channels, takes.max_points)
        )
        self.model, self.run, self.step, self.temperature = model, run, step, temperature
        self._logits = _compiled(
            lambda images: tf.cast(
                cores.in_shares(lambda share: model(share, training=False), images), tf.float32
            )
        )
        # With the softmax inside: for one drawing, every call of TensorFlow is costly.
        self._probabilities = _compiled(
            lambda images, temperature: tf.nn.softmax(self._logits(images) / temperature)
        )
        self._probabilities_of_one: Callable[..., tf.Tensor] | None = None

    def logits(self, images: ModelInputs) -> np.ndarray:
        """Return the model's logits, before temperature and softmax.

        Args:
            images: the model's inputs, as for `probabilities`.

        Returns:
            float32 `[batch, num_classes]`.
        """
        return self._logits(images).numpy()

    def probabilities(self, images: ModelInputs) -> np.ndarray:
        function, arguments = self._probabilities, (images, np.float32(self.temperature))
        if len(next(iter(images.values())) if isinstance(images, dict) else images) == 1:
            if self._probabilities_of_one is None:
                self._probabilities_of_one = self._compiled_for_one(arguments)
            function = self._probabilities_of_one
        return function(*arguments).numpy()

    def _compiled_for_one(
        self, arguments: tuple[ModelInputs, np.float32]
    ) -> Callable[..., tf.Tensor]:
        """Return a function for single drawings, compiled by XLA; equal to a batch up to 1e-6.

        For so little arithmetic, dispatching the operations takes longer than computing them,
        and oneDNN repacks the weights each time; XLA fuses them into one. It is not used in half
        precision, where it rounds differently, nor for operations that it does not support.
        """
        import tensorflow as tf

        plain = self._probabilities
        if _HALF & {layer.compute_dtype for layer in self.model._flatten_layers()}:
            return plain
        specs = tf.nest.map_structure(lambda each: tf.TensorSpec(each.shape, each.dtype), arguments)
        compiled = tf.function(plain.python_function, autograph=False, jit_compile=True)
        with contextlib.suppress(tf.errors.OpError):
            alone = compiled.get_concrete_function(*specs)
            alone(*arguments)
            return alone
        return plain

    @functools.cached_property
    def rendering(self) -> Rendering:
        return rendering_of(self.run)


def _compiled(function: Callable[..., tf.Tensor]) -> tf.types.experimental.PolymorphicFunction:
    import tensorflow as tf

    return tf.function(function, autograph=False, reduce_retracing=True)


def load(train_dir: str, checkpoint: Which = "best") -> TrainedModel:
    """Load the trained model of a run, calibrated if `quickdraw.calibrate` was run on it.

    Args:
        train_dir: the folder of the run.
        checkpoint: "best" on the validation records (the latest, if there were none), or
            "latest".

    Raises:
        QuickdrawError: not a run, no checkpoint yet, or the model's code has changed since.
    """
    from quickdraw.runs import best_model, checkpoints

    run = record.read(train_dir)
    edited = factory.warn_of_changed_code(run, train_dir)
    model = factory.build_model(run, to_predict=True)
    if not edited:
        factory.warn_of_changed_network(run, model, train_dir)
    if checkpoint == "best" and best_model.exists(train_dir):
        step = best_model.restore(model, train_dir)
    else:
        step = checkpoints.restore_latest(model, train_dir)
    return TrainedModel(model, run, step, calibration.load(train_dir, step))
