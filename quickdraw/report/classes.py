"""The classification report: precision, recall, F1 and support of each class."""

from __future__ import annotations

import dataclasses
from typing import ClassVar

from quickdraw.report.estimates import Estimate, wilson
from quickdraw.report.evaluated import Asked, evaluated
from quickdraw.report.figure import Figure


@dataclasses.dataclass
class ClassRow:
    """One class.

    Attributes:
        name: its name.
        precision: of the predictions of the class, the share that is right; 0 without any.
        recall: of its drawings, the share that is recognised, with its interval.
        f1: their harmonic mean.
        support: the number of its drawings.
    """

    name: str
    precision: float
    recall: Estimate
    f1: float
    support: int


@dataclasses.dataclass
class Classification(Figure):
    """The classification report, as scikit-learn has it.

    Attributes:
        rows: the classes, in label order.
        means: of precision, recall and F1; `macro` weights classes equally, `weighted` by their
            support.
    """

    macro: ClassVar[str] = "classification"
    rows: list[ClassRow]
    means: dict[str, dict[str, float]]

    @property
    def absent(self) -> list[str]:
        """The classes without drawings."""
        return [row.name for row in self.rows if not row.support]


def classification(trained: Asked, data: str | None = None) -> Classification:
    """Return precision, recall, F1 and support of each class.

    Args:
        trained: see `evaluate`; of several runs the best is shown.
        data: see `evaluate`.
    """
    seen = evaluated(trained, data)
    metrics = seen.answers[seen.best].metrics
    rows = [
        ClassRow(
            name,
            of["precision"],
            wilson(round(of["recall"] * of["examples"]), of["examples"]),
            of["f1"],
            of["examples"],
        )
        for name, of in metrics.per_class(seen.labels).items()
    ]
    return Classification(rows, metrics.means())
