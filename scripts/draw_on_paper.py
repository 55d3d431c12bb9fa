"""Draw real drawings on paper, as people do, and count how many of the pictures a run recognises.

    python scripts/draw_on_paper.py --train_dir=runs/cnn --source=data/simplified

Each of the run's classes is drawn from CLASS.ndjson, with a marker, a pencil or a pen, somewhere on
a page of 280 pixels, which may be grey or photographed under a lamp. A table says what share is
right when the page is merely resized, and as `predict` reads it. The first line is the strokes
themselves.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from quickdraw import runs
from quickdraw.drawings import greyscale
from quickdraw.drawings.polarity import ALONE
from quickdraw.runs import TrainedModel

SIDE = 280
REACH = 200  # pixels of the longer side of a drawing
SAMPLES = 4  # a pixel's side
MARKER, PEN = 14.0, 4.0  # pixels


def inked(strokes: list, width: float, rng: np.random.Generator) -> np.ndarray:
    """Return how much of each pixel is covered with ink: float64 `[SIDE, SIDE]`, 0 to 1."""
    every = [np.concatenate([stroke[axis] for stroke in strokes]) for axis in (0, 1)]
    scale = REACH / max(max(np.ptp(each) for each in every), 1)
    room = SIDE - REACH - 2 * MARKER
    corner = [MARKER + rng.uniform(0, room) - each.min() * scale for each in every]
    page = Image.new("L", (SIDE * SAMPLES,) * 2)
    brush, radius = ImageDraw.Draw(page), width * SAMPLES / 2
    for xs, ys, *_ in strokes:
        points = [
            ((x * scale + corner[0]) * SAMPLES, (y * scale + corner[1]) * SAMPLES)
            for x, y in zip(xs, ys, strict=True)
        ]
        brush.line(points, fill=255, width=round(2 * radius), joint="curve")
        for x, y in points:
            brush.ellipse((x - radius, y - radius, x + radius, y + radius), fill=255)
    return np.asarray(page.reduce(SAMPLES)) / 255


def page(ink: np.ndarray, paper: float = 255, pen: float = 0) -> Image.Image:
    """Return ink on a page, both of one grey."""
    return Image.fromarray((paper + (pen - paper) * ink).astype(np.uint8))


def photograph(ink: np.ndarray, rng: np.random.Generator) -> Image.Image:
    """Return a photograph: light falls off from one corner, the sensor is noisy, the lens soft."""
    y, x = np.mgrid[0 : 1 : SIDE * 1j, 0 : 1 : SIDE * 1j]
    light = 200 - 70 * x - 50 * y
    grey = light * (1 - 0.75 * ink) + rng.normal(0, 4, ink.shape)
    soft = Image.fromarray(grey.clip(0, 255).astype(np.uint8))
    return soft.filter(ImageFilter.GaussianBlur(1))


Draw = Callable[[list, np.random.Generator], Image.Image]
PAGES: dict[str, Draw] = {
    "black marker": lambda strokes, rng: page(inked(strokes, MARKER, rng)),
    "black pen": lambda strokes, rng: page(inked(strokes, PEN, rng)),
    "grey marker": lambda strokes, rng: page(inked(strokes, MARKER, rng), pen=150),
    "yellow marker": lambda strokes, rng: page(inked(strokes, MARKER, rng), pen=226),
    "marker on grey paper": lambda strokes, rng: page(inked(strokes, MARKER, rng), 180, 20),
    "marker, photographed": lambda strokes, rng: photograph(inked(strokes, MARKER, rng), rng),
    "pen, photographed": lambda strokes, rng: photograph(inked(strokes, PEN, rng), rng),
}


def drawings(source: str, labels: list[str], each: int) -> Iterator[tuple[str, list]]:
    """Yield (class, strokes) of the first drawings of each class."""
    for label in labels:
        with open(Path(source) / f"{label}.ndjson", encoding="utf-8") as file:
            for _, line in zip(range(each), file, strict=False):
                yield label, json.loads(line)["drawing"]


def resized(picture: Image.Image, size: int) -> np.ndarray:
    """Return a picture as ink on 0, uint8 `[size, size]`, by resizing alone."""
    pixels, _ = greyscale.on_black(greyscale.grey(picture), ALONE)
    return np.asarray(Image.fromarray(pixels).resize((size, size), Image.Resampling.LANCZOS))


def share(trained: TrainedModel, images: list, labels: list[str]) -> float:
    """Return the share of images whose likeliest class is theirs."""
    found = [next(iter(guesses)) for guesses in trained.predict(images)]
    return float(np.mean([guess == label for guess, label in zip(found, labels, strict=True)]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--train_dir", required=True, help="run of a model of images")
    parser.add_argument("--source", required=True, help="folder of CLASS.ndjson files")
    parser.add_argument("--each", type=int, default=25, help="drawings of each class")
    flags = parser.parse_args()
    trained = runs.load(flags.train_dir)
    size = trained.takes.image_size
    labels, strokes = zip(*drawings(flags.source, trained.labels, flags.each), strict=True)
    drawn = [trained.rendering.image(each, size) for each in strokes]
    print(f"{len(labels):,} drawings         resized  as predict reads them")
    print(f"{'the strokes':22} {share(trained, drawn, labels):7.1%}")
    for name, draw in PAGES.items():
        rng = np.random.default_rng(0)
        pictures = [draw(each, rng) for each in strokes]
        small = [resized(picture, size) for picture in pictures]
        shares = (share(trained, images, labels) for images in (small, pictures))
        print(f"{name:22}", *(f"{each:7.1%}" for each in shares))


if __name__ == "__main__":
    main()
