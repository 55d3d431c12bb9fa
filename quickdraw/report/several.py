"""Several runs on the same drawings: comparison, disagreements, and their ensemble."""

from __future__ import annotations

import dataclasses
from typing import ClassVar

import numpy as np

from quickdraw.errors import QuickdrawError
from quickdraw.pages import thumbnails
from quickdraw.report.estimates import Estimate, wilson
from quickdraw.report.evaluated import Asked, Evaluated, evaluated
from quickdraw.report.figure import Figure
from quickdraw.report.head import Headline, headline
from quickdraw.report.intervals import Difference, bootstrap, paired_difference
from quickdraw.runs.settings_of import differing_settings, plain_text

_SURE = 0.05
_SHOWN = 35


@dataclasses.dataclass
class ComparedRun:
    """A row of the comparison.

    Attributes:
        headline: its main figures.
        to_best: its difference to the best run; None for the best run.
        differs: the settings in which it differs from the best run, in words.
        wins: the classes with a higher recall than in any other run.
    """

    headline: Headline
    to_best: Difference | None
    differs: list[str]
    wins: list[str]

    @property
    def is_noise(self) -> bool:
        """Whether the difference to the best run is not significant."""
        return self.to_best is not None and self.to_best.p >= _SURE


@dataclasses.dataclass
class Comparison(Figure):
    """A comparison of runs.

    Attributes:
        rows: the runs, the best first.
        classes: names of the classes.
        recalls: by class, the recall of each run, in the order of the rows.
        ensemble: figures of the ensemble of all runs: top1, top3, map3, nll and ece.
        gain: the difference of the ensemble to the best run.
        all_right: the number of drawings that every run has right.
        all_wrong: the number that no run has right.
    """

    macro: ClassVar[str] = "comparison"
    rows: list[ComparedRun]
    classes: list[str]
    recalls: dict[str, list[float]]
    ensemble: dict[str, Estimate]
    gain: Difference
    all_right: int
    all_wrong: int


def comparison(trained: Asked, data: str | None = None) -> Comparison:
    """Compare runs on the same drawings.

    Differences to the best run are tested with McNemar's test, see `paired_difference`.

    Args:
        trained: see `evaluate`; two or more.
        data: see `evaluate`.

    Raises:
        QuickdrawError: only one run was given.
    """
    seen = evaluated(trained, data)
    if len(seen.answers) < 2:
        raise QuickdrawError("two runs or more are compared. Received: one")
    order = sorted(range(len(seen.names)), key=lambda at: -seen.answers[at].right.mean())
    best = seen.best
    recalls = {
        name: [seen.answers[at].metrics.per_class(seen.labels)[name]["recall"] for at in order]
        for name in seen.labels
    }
    wins = _wins(recalls, len(order))
    rows = [
        ComparedRun(
            headline(seen, which=at),
            None if at == best else paired_difference(seen.answers[at].right, _right(seen, best)),
            [] if at == best else _differs(seen, at),
            wins[place],
        )
        for place, at in enumerate(order)
    ]
    right = np.stack([each.right for each in seen.answers])
    together, count = seen.together, len(seen)
    ensemble = {
        "top1": wilson(int(together.right.sum()), count),
        "top3": wilson(int((together.ranks < 3).sum()), count),
        **{name: of for name, of in bootstrap(together).items() if name != "loss"},
    }
    return Comparison(
        rows,
        seen.labels,
        recalls,
        ensemble,
        paired_difference(together.right, _right(seen, best)),
        int(right.all(axis=0).sum()),
        int((~right).all(axis=0).sum()),
    )


def _right(seen: Evaluated, which: int) -> np.ndarray:
    return seen.answers[which].right


def _wins(recalls: dict[str, list[float]], count: int) -> list[list[str]]:
    """Return for each run the classes with a strictly higher recall than in all others."""
    wins: list[list[str]] = [[] for _ in range(count)]
    for name, values in recalls.items():
        if values.count(max(values)) == 1:
            wins[values.index(max(values))].append(name)
    return wins


def _differs(seen: Evaluated, which: int) -> list[str]:
    models = seen.ensemble.models
    settings = differing_settings(models[which].run, models[seen.best].run)
    return [f"{name}={plain_text(value)}" for name, value in settings.items() if value is not None]


@dataclasses.dataclass
class Dispute(Figure):
    """Drawings on which runs disagree.

    Attributes:
        runs: their names.
        count: the number of drawings that some, but not all, runs have right.
        entries: (index of the drawing, its class, (guess, probability) of each run).
    """

    macro: ClassVar[str] = "dispute"
    runs: list[str]
    count: int
    entries: list[tuple[int, str, list[tuple[str, float]]]]
    _seen: Evaluated

    def shows(self) -> list[int]:
        return [entry[0] for entry in self.entries]

    def image(self, drawing: int) -> str:
        """Return a drawing as a data: URL."""
        return thumbnails.sheet([self._seen.shown([drawing])[0].image], 1)


def disagreement(trained: Asked, data: str | None = None) -> Dispute:
    """Return the drawings on which runs disagree, the most confident first.

    Args:
        trained: see `evaluate`; two or more.
        data: see `evaluate`.
    """
    seen = evaluated(trained, data)
    right = np.stack([each.right for each in seen.answers])
    disputed = np.flatnonzero(right.any(axis=0) & ~right.all(axis=0))
    sure = np.min([each.confidence[disputed] for each in seen.answers], axis=0)
    entries = [
        (
            drawing,
            seen.labels[seen.truth[drawing]],
            [
                (seen.labels[each.predicted[drawing]], float(each.confidence[drawing]))
                for each in seen.answers
            ],
        )
        for drawing in disputed[np.argsort(-sure, kind="stable")[:_SHOWN]].tolist()
    ]
    return Dispute(seen.names, len(disputed), entries, seen)
