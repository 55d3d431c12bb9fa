"""The labels of a drawing's nearest neighbours in the feature space of a network."""

from __future__ import annotations

import collections
import dataclasses

import numpy as np

from quickdraw.report.evaluated import Evaluated
from quickdraw.report.features import unit, with_features

_NEIGHBOURS = 10
_AT_ONCE = 32  # drawings compared with all others at once: some 15 MB


@dataclasses.dataclass
class Neighbourhood:
    """The labels of the drawings nearest to one, in the features of every run.

    Attributes:
        called: the most frequent label among them.
        count: the number with that label.
        total: the number of neighbours.
        own: the number with the drawing's own label.
    """

    called: str
    count: int
    total: int
    own: int


def neighbourhoods(seen: Evaluated, drawings: np.ndarray) -> list[Neighbourhood]:
    """Return the labels of the ten nearest other drawings, for each of some drawings.

    Distance is the angle between features, the input of the network's last layer. Of very many
    drawings, an evenly spaced sample is searched. With several runs, the neighbours in each.

    Args:
        seen: the evaluation of the runs.
        drawings: int64 `[m]`, indices.
    """
    found: list[collections.Counter[int]] = [collections.Counter() for _ in drawings]
    for which in range(len(seen.names)):
        for counter, labels in zip(found, _labels_near(seen, which, drawings), strict=True):
            counter.update(labels.tolist())
    return [
        _described(counter, int(seen.truth[drawing]), seen.labels)
        for counter, drawing in zip(found, drawings, strict=True)
    ]


def _described(counter: collections.Counter[int], own: int, names: list[str]) -> Neighbourhood:
    # Ties go to the drawing's own class: there is no evidence against it.
    first = max(counter, key=lambda label: (counter[label], label == own), default=own)
    return Neighbourhood(names[first], counter[first], counter.total(), counter[own])


def _labels_near(seen: Evaluated, which: int, drawings: np.ndarray) -> list[np.ndarray]:
    """Return the labels of the nearest drawings, int64 `[10]` or fewer, for each drawing."""
    searched = seen.answers[which].featured
    others = seen.answers[which].features.T.astype(np.float32)
    own = _features_of(seen, which, drawings)
    most = min(_NEIGHBOURS, len(searched) - 1)
    found: list[np.ndarray] = []
    for start in range(0, len(drawings), _AT_ONCE):
        some = slice(start, start + _AT_ONCE)
        near = own[some].astype(np.float32) @ others
        near[drawings[some, None] == searched[None, :]] = -np.inf
        places = np.argpartition(-near, most - 1, axis=1)[:, :most] if most > 0 else near[:, :0]
        found += list(seen.truth[searched[places.astype(int)]])
    return found


def _features_of(seen: Evaluated, which: int, drawings: np.ndarray) -> np.ndarray:
    """Return features of drawings, float16 `[m, features]`, from the evaluation if it kept all."""
    answers = seen.answers[which]
    places = np.searchsorted(answers.featured, drawings)
    places = np.minimum(places, len(answers.featured) - 1)
    if (answers.featured[places] == drawings).all():
        return answers.features[places]
    see = with_features(seen.ensemble.models[which].model)
    parts = [
        unit(see(seen.ensemble.inputs_of(which, arrays))[1]).astype(np.float16)
        for arrays in seen.batches(drawings)
    ]
    _, order = np.unique(drawings, return_inverse=True)
    return np.concatenate(parts)[order]
