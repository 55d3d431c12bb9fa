"""The training step, compiled: many steps a call, so that Python is out of the way."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

import tensorflow as tf

from quickdraw import cores
from quickdraw.training.data.feed import Feed, Given, Held
from quickdraw.training.setup import Setup
from quickdraw.training.state import State
from quickdraw.training.trial import checked_gradients, explained_step

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
    """Takes some steps: `train_steps(inputs, first, steps, stop, seconds)`, see `__call__`.

    What a step works on stays on the device: whatever the host must know (which step it is, the
    random numbers) is made there, and integers are int64, as TensorFlow keeps int32 on the host.

    To be made under the strategy's scope.

    Args:
        setup: settings, devices and augmentation.
        state: what the steps change.
        feed: where the drawings come from.
        rate: the learning rate of a step, counted from 0.

    Attributes:
        state: see above.
        feed: see above.
        rate_factor: variable that the learning rate is multiplied by.
        seconds_to_trace: how long `trace` took.
    """

    def __init__(
        self,
        setup: Setup,
        state: State,
        feed: Feed,
        rate: Callable[[tf.Tensor], tf.Tensor],
    ):
        self._setup, self._settings = setup, setup.settings
        self._augmentation = setup.augmentation
        self._devices, self._strategy = setup.devices, setup.devices.strategy
        self._model, self._optimizer, self._rate = state.model, state.optimizer, rate
        self.state, self.feed = state, feed
        self.rate_factor = tf.Variable(1.0, trainable=False, name="rate_factor")
        # Loss, right ones, processes that were asked to stop, seconds of the call before. ON_READ:
        # each replica adds to a copy of its own, and only reading the variable sums the copies up,
        # so the devices communicate once a call rather than once a step.
        self._sums = tf.Variable(
            tf.zeros(4),
            synchronization=tf.VariableSynchronization.ON_READ,
            aggregation=tf.VariableAggregation.SUM,
            trainable=False,
        )
        self._checked, self.seconds_to_trace = False, 0.0
        self._compiled = tf.function(self._steps, autograph=False, reduce_retracing=True)
        self._gradients = tf.function(
            self._gradients_of_share, autograph=False, jit_compile=self._settings.xla or None
        )

    def __call__(self, inputs: Given, first: int, steps: int, stop: bool, seconds: float) -> Totals:
        """Take steps.

        Args:
            inputs: what the feed has for these steps; see `Feed.inputs` for shapes and dtypes.
            first: the number of the first one, counted from 0.
            steps: how many.
            stop: tells all processes that this one was asked to stop.
            seconds: tells them how long the last call took here.
        """
        with explained_step(self._setup):
            totals, finite = self._compiled(*self._arguments(inputs, first, steps, stop, seconds))
        loss, right, stops, mean_seconds = totals.numpy().tolist()
        all_finite = bool(finite) and math.isfinite(loss)
        return Totals(loss, right, all_finite, stops > 0, mean_seconds)

    @property
    def learning_rate(self) -> float:
        """The last step's learning rate."""
        return float(self._optimizer.learning_rate.numpy())

    def trace(self) -> None:
        """Trace the step, for any number of steps: what is wrong with it shows here.

        Raises:
            QuickdrawError: somebody's own code fails, or no weight can be trained.
        """
        start, inputs = time.perf_counter(), self.feed.inputs(0, 1)
        if self._devices.replicas == 1:
            # For any number at once, where TensorFlow would trace again at the second call. (With
            # several replicas it does, as there is no TensorSpec for their values.)
            inputs = tf.nest.map_structure(
                lambda each: tf.TensorSpec((None, *each.shape[1:]), each.dtype), inputs
            )
        with explained_step(self._setup):
            self._compiled.get_concrete_function(*self._arguments(inputs, 0, 1, False, 0.0))
        self.seconds_to_trace = time.perf_counter() - start

    def _arguments(
        self, inputs: Given, first: int, steps: int, stop: bool, seconds: float
    ) -> tuple[Held, Given, tf.Tensor, tf.Tensor, list[tf.Tensor]]:
        replicas = self._devices.replicas
        # Reading the sums adds up the replicas: divided by them, the seconds become a mean.
        told = self._devices.per_replica(lambda _: [0.0, 0.0, float(stop), seconds / replicas])
        return self.feed.data, inputs, tf.constant(first), tf.constant(steps), told

    def _steps(
        self, data: Held, inputs: Given, first: tf.Tensor, steps: tf.Tensor, told: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Take the steps; return the sums, float32 `[4]`, and whether all weights are finite."""
        self._sums.assign(tf.zeros(4))
        self._strategy.run(lambda values: self._sums.assign_add(values), args=(told,))

        def take(number: tf.Tensor) -> tf.Tensor:
            rate = self._rate(self._optimizer.iterations)
            self._optimizer.learning_rate = rate * self.rate_factor
            self._strategy.run(self._step, args=(data, inputs, first, number))
            if self.state.average is not None:
                self._follow(self.state.average)
            return number + 1

        # parallel_iterations=1: each step needs the weights that the one before has made.
        tf.while_loop(lambda number: number < steps, take, [0], parallel_iterations=1)
        weights = self._model.trainable_variables
        # Once a call, not once a step: what is not finite stays so.
        finite = [tf.reduce_all(tf.math.is_finite(weight)) for weight in weights]
        return self._sums.read_value(), tf.reduce_all(finite)

    def _step(self, data: Held, inputs: Given, first: tf.Tensor, number: tf.Tensor) -> None:
        """Take one step on one replica."""
        drawings, labels = self.feed.pick(data, inputs, number)
        # Drawn for the whole batch, then cut: each drawing gets the same numbers on any number of
        # replicas. Stateless, from seed and step: a resumed run needs no generator's state.
        with tf.device("CPU:0"):
            random = self._augmentation.numbers(
                self._settings.seed, first + number, self._settings.batch_size
            )
            random = _share(random, self._devices.replicas)
        targets: tuple[tf.Tensor, ...] = (labels,)
        if "image" in drawings:
            images = cores.in_shares(
                lambda share: self._augmentation.apply(*share), (drawings["image"], labels, random)
            )
            if self._augmentation.mixes:
                images, targets = self._augmentation.mix(images, labels, random)
            drawings = {**drawings, "image": images}
        gradients, totals = self._gradients(drawings, *targets)
        every = zip(gradients, self._model.trainable_variables, strict=True)
        gradients, weights = zip(*(pair for pair in every if pair[0] is not None), strict=True)
        if self._devices.replicas > 1:
            # Keras clips before it adds up: see optimizers.make_optimizer.
            context = tf.distribute.get_replica_context()
            gradients = context.all_reduce(tf.distribute.ReduceOp.MEAN, gradients)
        self._optimizer.apply(gradients, weights)
        self._sums.assign_add(totals)

    def _gradients_of_share(
        self, *share: dict[str, tf.Tensor] | tf.Tensor
    ) -> tuple[list[tf.Tensor | None], tf.Tensor]:
        """Return gradients and sums of a replica's share, in `accumulate_steps` parts.

        The gradient of a weight that the loss does not depend on is None.
        """
        # In parts, so that the activations of all need not be in memory at once.
        count = self._settings.accumulate_steps
        cut = [_in_parts(each, count) for each in tf.nest.flatten(share)]
        parts = [
            self._gradients_of_part(*tf.nest.pack_sequence_as(share, part))
            for part in zip(*cut, strict=True)
        ]
        each = zip(*(gradients for gradients, _ in parts), strict=True)
        total = [None if terms[0] is None else tf.add_n(list(terms)) for terms in each]
        return total, tf.add_n([sums for _, sums in parts])

    def _gradients_of_part(
        self, drawings: dict[str, tf.Tensor], labels: tf.Tensor, *mixed: tf.Tensor
    ) -> tuple[list[tf.Tensor | None], tf.Tensor]:
        """Return what a part of the batch adds to the gradients of the whole, and to the sums."""
        parts = self._devices.replicas * self._settings.accumulate_steps
        with tf.GradientTape() as tape:
            logits, losses = self.state.objective(drawings, labels, *mixed)
            # Divided by the whole batch, not the part: the gradients of all parts and replicas then
            # just add up. Regularisers do not depend on the batch: they count once in all.
            mean = tf.reduce_sum(losses) / self._settings.batch_size
            terms = (tf.cast(term, tf.float32) / parts for term in self._model.losses)
            objective = tf.add_n([mean, *terms])
            scaled = self._optimizer.scale_loss(objective)
        right = tf.equal(tf.argmax(logits, axis=1), labels)
        sums = [tf.reduce_sum(losses), tf.reduce_sum(tf.cast(right, tf.float32)), 0.0, 0.0]
        weights = self._model.trainable_variables
        if self._checked:
            gradients = tape.gradient(scaled, weights)
        else:
            gradients = checked_gradients(tape, scaled, self._model, self.state.objective.variables)
            self._checked = True
        # Layers may have been given types of their own; Keras clips gradients of one type.
        return [g if g is None else tf.cast(g, tf.float32) for g in gradients], tf.stack(sums)

    def _follow(self, average: keras.Model) -> None:
        """Move the averages towards the weights; at first faster, to forget the initial weights."""
        step = tf.cast(self._optimizer.iterations, tf.float32)
        # All weights, not only the trainable ones: the moving statistics of BatchNormalization too.
        rate = 1 - tf.minimum(self._settings.ema_decay, (1 + step) / (10 + step))
        for mean, weight in zip(average.weights, self._model.weights, strict=True):
            self._strategy.extended.update(
                mean.value,
                lambda mean, weight: mean.assign_sub(tf.cast(rate, mean.dtype) * (mean - weight)),
                args=(weight.value,),
            )


def _in_parts(batch: tf.Tensor, count: int) -> list[tf.Tensor]:
    """Cut a batch into equal parts (`tf.split` has no GPU kernel for whole numbers)."""
    size = batch.shape[0] // count
    return [batch[start : start + size] for start in range(0, count * size, size)]


def _share(random: tf.Tensor, replicas: int) -> tf.Tensor:
    """Return this replica's rows of the random numbers for a batch, float32 `[share, columns]`."""
    replica = tf.distribute.get_replica_context().replica_id_in_sync_group
    each = random.shape[0] // replicas
    return tf.reshape(random, (replicas, each, -1))[replica]
