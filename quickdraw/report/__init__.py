"""Error analysis of runs: figures for a page and for notebooks.

Each figure is a function of a trained model and records, and renders itself in a notebook:

    import quickdraw.report
    quickdraw.report.confusion("runs/cnn", "data/qd10/valid-*")

`python -m quickdraw.report` writes them all into one page; see `quickdraw.report.__main__`.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from quickdraw.report.__main__ import Flags, command, main
    from quickdraw.report.beginnings import early
    from quickdraw.report.classes import classification
    from quickdraw.report.confident_learning import label_errors
    from quickdraw.report.document import write
    from quickdraw.report.evaluated import evaluate
    from quickdraw.report.galleries import confident_mistakes, unsure_hits
    from quickdraw.report.head import headline
    from quickdraw.report.hidden_pieces import occlusion
    from quickdraw.report.matrix import confusion
    from quickdraw.report.network import feature_maps, layers
    from quickdraw.report.several import comparison, disagreement
    from quickdraw.report.slicing import slices
    from quickdraw.report.sureness import coverage, reliability
    from quickdraw.report.training_curves import curves

__all__ = [
    "Flags",
    "classification",
    "command",
    "comparison",
    "confident_mistakes",
    "confusion",
    "coverage",
    "curves",
    "disagreement",
    "early",
    "evaluate",
    "feature_maps",
    "headline",
    "label_errors",
    "layers",
    "main",
    "occlusion",
    "reliability",
    "slices",
    "unsure_hits",
    "write",
]
_HOMES = {
    "__main__": ("Flags", "command", "main"),
    "beginnings": ("early",),
    "classes": ("classification",),
    "confident_learning": ("label_errors",),
    "document": ("write",),
    "evaluated": ("evaluate",),
    "galleries": ("confident_mistakes", "unsure_hits"),
    "head": ("headline",),
    "hidden_pieces": ("occlusion",),
    "matrix": ("confusion",),
    "network": ("feature_maps", "layers"),
    "several": ("comparison", "disagreement"),
    "slicing": ("slices",),
    "sureness": ("coverage", "reliability"),
    "training_curves": ("curves",),
}
"""By module; none is called like a function of it, which would take its place here."""


def __getattr__(name: str) -> object:
    # Lazily: `--help` and a wrong flag must not wait for TensorFlow.
    if name not in __all__:
        raise AttributeError(name)
    home = next(home for home, names in _HOMES.items() if name in names)
    return getattr(importlib.import_module(f"quickdraw.report.{home}"), name)
