"""Draws the README's two pictures: sample doodles, and the confusion matrix of a run.

python scripts/pictures.py data/sample runs/cnn
"""

import pathlib
import sys

import numpy as np
from PIL import Image

from quickdraw import runs
from quickdraw.drawings.sheet import grid
from quickdraw.evaluation.run_evaluation import RunEvaluation
from quickdraw.readers import QuickDrawFeatureReader
from quickdraw.tracking.plots import confusion_matrix

OUTPUT = pathlib.Path(__file__).resolve().parents[1] / "docs/images"
EACH = 6


def draw_doodles(sample: str) -> None:
    """A row of doodles for each category of the sample data."""
    reader = QuickDrawFeatureReader()
    names = reader.open(f"{sample}/valid-*").info.labels
    images, labels = next(reader.batches(f"{sample}/valid-*", 1000))
    rows = np.concatenate([np.flatnonzero(labels == label)[:EACH] for label in range(len(names))])
    sheet = grid(images[rows], [names[label] for label in labels[rows]], 2 * EACH)
    Image.fromarray(sheet).save(OUTPUT / "doodles.png")


def draw_confusion(train_dir: str) -> None:
    """The confusion matrix of the best model on the records that the run was validated on."""
    trained = runs.load(train_dir)
    metrics = RunEvaluation(trained, train_dir).run()
    matrix = confusion_matrix(metrics.confusion, trained.labels)
    Image.fromarray(matrix).save(OUTPUT / "confusion.png")


if __name__ == "__main__":
    OUTPUT.mkdir(parents=True, exist_ok=True)
    draw_doodles(sys.argv[1])
    draw_confusion(sys.argv[2])
