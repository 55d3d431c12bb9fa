"""Label errors: confident learning, confirmed by nearest neighbours."""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np

from quickdraw.report.answers import Answers
from quickdraw.report.evaluated import Asked, evaluated
from quickdraw.report.galleries import WRONG_LABELS, Gallery, gallery
from quickdraw.report.neighbours import neighbourhoods

_SHOWN = 35
_MOST = 1_000


def label_errors(trained: Asked, data: str | None = None) -> Gallery:
    """Return drawings whose label is likely wrong.

    Confident learning: a class is a candidate for a drawing if its probability reaches the mean
    probability of that class over the drawings labelled with it. If the likeliest candidate is not
    the label, the label is likely wrong. With several runs, all must predict another class. The
    neighbours must agree: of the ten drawings nearest in the features of each run, more must have
    another label than its own. Ordered by the margin between the other class and the label; of more
    than 1,000 the first are compared with their neighbours, as the time is their number times that
    of all drawings.

    Sources: Northcutt, Jiang & Chuang 2021, "Confident Learning: Estimating Uncertainty in Dataset
    Labels", sections 3.1 and 3.3 ("prune by noise rate", here by the normalised margin). The
    probabilities are the mean of all runs, of the three likeliest classes of each drawing.
    Neighbours: Wilson 1972, "Asymptotic Properties of Nearest Neighbor Rules Using Edited Data", in
    the space of a network as in Bahri, Jiang & Gupta 2020, "Deep k-NN for Noisy Labels", section 3.
    Only valid on drawings that the runs were not trained on.

    Args:
        trained: see `evaluate`.
        data: see `evaluate`.
    """
    seen = evaluated(trained, data)
    found = suspicious(seen.truth, seen.together, len(seen.labels))
    for answers in seen.answers:
        found = found[~answers.right[found]]
    found = found[:_MOST]
    near = neighbourhoods(seen, found)
    stays = np.array([each.own < each.count for each in near], bool)
    shown = gallery(seen, WRONG_LABELS, found[stays][:_SHOWN], int(stays.sum()), seen.together)
    kept = itertools.compress(near, stays)
    shown.entries = [
        dataclasses.replace(entry, neighbours=each)
        for entry, each in zip(shown.entries, kept, strict=False)
    ]
    return shown


def suspicious(truth: np.ndarray, answers: Answers, classes: int) -> np.ndarray:
    """Return the indices of the drawings off the diagonal of the confident joint, int64 `[m]`.

    Args:
        truth: int64 `[n]`, the labels.
        answers: of a model that was not trained on them.
        classes: the number of classes.
    """
    counts = np.bincount(truth, minlength=classes)
    sums = np.bincount(truth, answers.own, classes)
    # A class without drawings has no mean, and is never a candidate.
    thresholds = np.where(counts > 0, sums / np.maximum(counts, 1), np.inf)
    sure = answers.probabilities >= thresholds[answers.guesses]
    first = sure.argmax(axis=1)
    rows = np.arange(len(truth))
    confident = np.where(sure.any(axis=1), answers.guesses[rows, first], truth)
    found = np.flatnonzero(confident != truth)
    margin = answers.own[found] - answers.probabilities[found, first[found]]
    return found[np.argsort(margin, kind="stable")]
