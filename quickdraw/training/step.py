"""The training step, compiled: many steps a call, so that Python is out of the way."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

import tensorflow as tf

from quickdraw.settings import Settings
from quickdraw.training.augmentation import Augmentation
from quickdraw.training.distribution import Distribution
from quickdraw.training.feed import Feed
from quickdraw.training.objective import Objective

if TYPE_CHECKING:
    import keras


class Totals(NamedTuple):
    """Sums over the examples of a call, and over what the processes said when it began.

    Attributes:
        loss: of the examples' losses.
        right: how many were recognised.
        finite: whether loss and weights are all numbers still.
        stop: whether a process was asked to stop.
        seconds: how long the call before took, on average over the processes.
    """

    loss: float
    right: float
    finite: bool
    stop: bool
    seconds: float


class TrainSteps:
    """Takes some steps: `train_steps(inputs, steps, stop, seconds)`, see `__call__`.

    To be made under the strategy's scope.

    Args:
        distribution: the devices.
        model: what is trained.
        objective: what it is trained for.
        optimizer: how.
        rate: the learning rate of a step, counted from 0.
        feed: where the drawings come from.
        augmentation: what may happen to them.
        settings: batch size, seed and the like.
        average: follows the model's weights as their moving average, if there is one.

    Attributes:
        rate_factor: variable that the learning rate is multiplied by.
    """

    def __init__(
        self,
        distribution: Distribution,
        model: keras.Model,
        objective: Objective,
        optimizer: keras.Optimizer,
        rate: Callable[[tf.Tensor], tf.Tensor],
        feed: Feed,
        augmentation: Augmentation,
        settings: Settings,
        average: keras.Model | None,
    ):
        self._distribution, self._strategy = distribution, distribution.strategy
        self._model, self._average, self._objective = model, average, objective
        self._optimizer, self._feed, self._rate = optimizer, feed, rate
        self._augmentation, self._settings = augmentation, settings
        self.rate_factor = tf.Variable(1.0, trainable=False, name="rate_factor")
        self._sums = tf.Variable(
            tf.zeros(4),
            synchronization=tf.VariableSynchronization.ON_READ,
            aggregation=tf.VariableAggregation.SUM,
            trainable=False,
        )
        self._traced = False
        self._compiled = tf.function(self._steps, autograph=False, reduce_retracing=True)
        self._gradients = tf.function(
            self._gradients_of_share, autograph=False, jit_compile=settings.xla or None
        )

    def __call__(self, inputs: Any, steps: int, stop: bool, seconds: float) -> Totals:
        """Takes steps.

        Args:
            inputs: what the feed has for these steps.
            steps: how many.
            stop: tells all processes that this one was asked to stop.
            seconds: tells them how long the last call took here.
        """
        replicas = self._distribution.replicas
        told = self._distribution.per_replica(lambda _: [0.0, 0.0, float(stop), seconds / replicas])
        arguments = self._feed.data, inputs, tf.constant(steps), told
        if not self._traced:
            self._trace(*arguments)
        totals, finite = self._compiled(*arguments)
        loss, right, stops, mean_seconds = totals.numpy().tolist()
        all_finite = bool(finite) and math.isfinite(loss)
        return Totals(loss, right, all_finite, stops > 0, mean_seconds)

    @property
    def learning_rate(self) -> float:
        """The last step's learning rate."""
        return float(self._optimizer.learning_rate.numpy())

    def _trace(self, data: Any, inputs: Any, *others: Any) -> None:
        """Traces at once for any number of steps; TensorFlow would do it again at the second call.

        (It does with several replicas, whose values it does not let us describe.)
        """
        self._traced = True
        if self._distribution.replicas > 1:
            return
        any_number = tf.nest.map_structure(
            lambda each: tf.TensorSpec((None, *each.shape[1:]), each.dtype), inputs
        )
        self._compiled.get_concrete_function(data, any_number, *others)

    def _steps(
        self, data: Any, inputs: Any, steps: tf.Tensor, told: Any
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Returns the sums, and whether all weights are finite."""
        self._sums.assign(tf.zeros(4))
        self._strategy.run(lambda values: self._sums.assign_add(values), args=(told,))

        def take(number: tf.Tensor) -> tf.Tensor:
            rate = self._rate(self._optimizer.iterations)
            self._optimizer.learning_rate = rate * self.rate_factor
            self._strategy.run(self._step, args=(data, inputs, number))
            if self._average is not None:
                self._follow(self._average)
            return number + 1

        tf.while_loop(lambda number: number < steps, take, [0], parallel_iterations=1)
        weights = self._model.trainable_variables
        finite = [tf.reduce_all(tf.math.is_finite(weight)) for weight in weights]
        return self._sums.read_value(), tf.reduce_all(finite)

    def _step(self, data: Any, inputs: Any, number: tf.Tensor) -> None:
        """One step of one replica."""
        images, labels = self._feed.pick(data, inputs, number)
        random = self._augmentation.numbers(
            self._settings.seed, self._optimizer.iterations, self._settings.batch_size
        )
        random = _share(random, self._distribution.replicas)
        images = self._augmentation.apply(images, labels, random)
        targets: tuple[tf.Tensor, ...] = (labels,)
        if self._augmentation.mixes:
            images, targets = self._augmentation.mix(images, labels, random)
        gradients, totals = self._gradients(images, *targets)
        if self._distribution.replicas > 1:
            # Keras clips before it adds up: see optimizers.make_optimizer.
            context = tf.distribute.get_replica_context()
            gradients = context.all_reduce(tf.distribute.ReduceOp.MEAN, gradients)
        self._optimizer.apply(gradients, self._model.trainable_variables)
        self._sums.assign_add(totals)

    def _gradients_of_share(self, *share: Any) -> Any:
        """Of a replica's share of the batch, in `accumulate_steps` parts."""
        count = self._settings.accumulate_steps
        cut = [tf.split(each, count) for each in tf.nest.flatten(share)]
        parts = [
            self._gradients_of_part(*tf.nest.pack_sequence_as(share, part))
            for part in zip(*cut, strict=True)
        ]
        each = zip(*(gradients for gradients, _ in parts), strict=True)
        return [tf.add_n(list(terms)) for terms in each], tf.add_n([sums for _, sums in parts])

    def _gradients_of_part(
        self, images: Any, labels: tf.Tensor, *mixed: tf.Tensor
    ) -> tuple[list[tf.Tensor], tf.Tensor]:
        """What a part of the batch adds to the gradients of the whole, and to the sums."""
        parts = self._distribution.replicas * self._settings.accumulate_steps
        with tf.GradientTape() as tape:
            logits, losses = self._objective(images, labels, *mixed)
            mean = tf.reduce_sum(losses) / self._settings.batch_size
            objective = tf.add_n([mean, *(term / parts for term in self._model.losses)])
            scaled = self._optimizer.scale_loss(objective)
        right = tf.equal(tf.argmax(logits, axis=1, output_type=tf.int32), labels)
        sums = [tf.reduce_sum(losses), tf.reduce_sum(tf.cast(right, tf.float32)), 0.0, 0.0]
        return tape.gradient(scaled, self._model.trainable_variables), tf.stack(sums)

    def _follow(self, average: keras.Model) -> None:
        """Moves the averages towards the weights; at first faster, to forget the start."""
        step = tf.cast(self._optimizer.iterations, tf.float32)
        rate = 1 - tf.minimum(self._settings.ema_decay, (1 + step) / (10 + step))
        for mean, weight in zip(average.weights, self._model.weights, strict=True):
            self._strategy.extended.update(
                mean.value,
                lambda mean, weight: mean.assign_sub(tf.cast(rate, mean.dtype) * (mean - weight)),
                args=(weight.value,),
            )


def _share(random: tf.Tensor, replicas: int) -> tf.Tensor:
    """This replica's part of the random numbers for a batch."""
    replica = tf.distribute.get_replica_context().replica_id_in_sync_group
    each = random.shape[0] // replicas
    return tf.reshape(random, (replicas, each, -1))[replica]
