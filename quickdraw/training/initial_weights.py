"""Weights of another run to start from: `--init_from`."""

from __future__ import annotations

import dataclasses
import itertools
import reprlib

import keras
import numpy as np

from quickdraw import runs
from quickdraw.console import log
from quickdraw.errors import QuickdrawError
from quickdraw.runs import checkpoints, factory, record
from quickdraw.runs.record import Run
from quickdraw.training.settings import Settings


@dataclasses.dataclass
class InitialWeights:
    """The weights of a run's best model.

    Attributes:
        labels: the names of its classes, in label order.
        body: of the layers before the classifier, an array each.
        classifier: of the layer that makes the logits, an array each; the last axis has a column
            for each class.
    """

    labels: list[str]
    body: list[np.ndarray]
    classifier: list[np.ndarray]

    def give(self, model: keras.Model, labels: list[str]) -> None:
        """Give a model of the same network these weights; new classes keep their own columns.

        Args:
            model: gets them.
            labels: the names of its classes, in label order.
        """
        body, classifier = _parts(model)
        for weight, value in zip(body, self.body, strict=True):
            weight.assign(value)
        shared = [name for name in labels if name in self.labels]
        mine = [labels.index(name) for name in shared]
        theirs = [self.labels.index(name) for name in shared]
        for weight, value in zip(classifier, self.classifier, strict=False):
            columns = np.array(weight)
            columns[..., mine] = value[..., theirs]
            weight.assign(columns)


def load_initial_weights(settings: Settings, run: Run, model: keras.Model) -> InitialWeights | None:
    """Load what `--init_from` names; None without it.

    Args:
        settings: where from. A run that is gone is not missed where the training goes on from a
            checkpoint of its own.
        run: what is to be trained.
        model: its network.

    Raises:
        QuickdrawError: there is no such run, or one of another network.
    """
    folder, train_dir = settings.init_from, str(settings.train_dir)
    if not folder:
        return None
    goes_on = not settings.start_new_model and checkpoints.latest(train_dir) is not None
    if goes_on and not record.exists(folder):
        return None
    trained = runs.load(folder)
    (body, classifier), (their_body, theirs) = _parts(model), _parts(trained.model)
    _check_body(folder, trained.run, run, body, their_body)
    if trained.labels != run.labels and not (classifier and theirs):
        raise QuickdrawError(
            f"--init_from={folder}: the classes there are others, and {run.model} has no layer at "
            "its end with weights for each class, which could be replaced"
        )
    fits = _shapes(classifier, -1) == _shapes(theirs, -1)
    kept = [name for name in run.labels if name in trained.labels] if fits else []
    if not goes_on:
        there, here = map(factory.preprocessing_of, (trained.run, run))
        if there != here:
            log(
                f"warning: --init_from={folder}: the images that its weights know are made "
                f"differently: {there} there, {here} here"
            )
        new = [name for name in run.labels if name not in kept]
        anew = f"; begun anew for {len(new)}: {reprlib.repr(new)}" if new else ""
        log(
            f"starting from the weights of step {trained.step:,} of {folder}: its classifier is "
            f"kept for {len(kept)} of {len(run.labels)} classes{anew}"
        )
    body_arrays, arrays = ([np.array(each) for each in part] for part in (their_body, theirs))
    return InitialWeights(trained.labels, body_arrays, arrays if fits else [])


def _parts(model: keras.Model) -> tuple[list[keras.Variable], list[keras.Variable]]:
    """Return the weights before the classifier, and its own: none where it is not clear."""
    layer = _classifier(model)
    own = layer.weights if layer is not None else []
    if any(weight.shape[-1:] != model.output.shape[-1:] for weight in own):
        own = []
    known = {id(weight) for weight in own}
    return [weight for weight in model.weights if id(weight) not in known], own


def _classifier(model: keras.Model) -> keras.layers.Layer | None:
    """Return the layer with weights that alone makes the logits, None where several do."""
    tensor = next(iter(getattr(model, "outputs", ())), None)  # a subclass of Model has none
    while tensor is not None:
        history = tensor._keras_history
        layer = history.operation
        if getattr(layer, "weights", None):
            return _classifier(layer) if isinstance(layer, keras.Model) else layer
        inputs = layer._inbound_nodes[history.node_index].input_tensors
        tensor = inputs[0] if len(inputs) == 1 else None
    return None


def _shapes(weights: list[keras.Variable], axes: int | None = None) -> list[tuple[int, ...]]:
    return [tuple(weight.shape)[:axes] for weight in weights]


def _check_body(
    folder: str, theirs: Run, run: Run, body: list[keras.Variable], there: list[keras.Variable]
) -> None:
    if _shapes(body) == _shapes(there):
        return
    pairs = itertools.zip_longest(_shapes(body), _shapes(there))
    mine, other = next(pair for pair in pairs if pair[0] != pair[1])
    raise QuickdrawError(
        f"--init_from={folder} holds another network, {theirs.model} with {theirs.model_params}; "
        f"{run.model} with {run.model_params} expected: the first weight that differs is of shape "
        f"{other} there, {mine} here"
    )
