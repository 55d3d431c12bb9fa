"""What is asked for: which drawings are taken, and what is made of each."""

from __future__ import annotations

import dataclasses

import numpy as np
from PIL import Image

from quickdraw.datasets import splits
from quickdraw.drawings import rasterise
from quickdraw.drawings.drawing import Drawing
from quickdraw.drawings.rendering import Rendering
from quickdraw.errors import QuickdrawError
from quickdraw.fields import check, field
from quickdraw.records import example, png
from quickdraw.records.class_names import clean
from quickdraw.records.ink import ink_of, times_of


@dataclasses.dataclass(frozen=True)
class Recipe:
    """The settings of a data set; equal ones make equal records of the same drawings.

    Attributes:
        categories: names of the classes in label order; None takes all, in alphabetical order.
        per_category: takes at most that many of each from the start of the files.
        fraction: takes that part of the drawings, spread evenly.
        recognized_only: leaves out what Google's model did not recognise.
        balance: leaves as many of each class as there are of the smallest.
        percentages: of train, valid and test.
        image_size: side of the images, in pixels.
        line_width: diameter of the pen, in 1/255 of the drawing's longer side.
        padding: margin, in the same unit.
        channels: 1 or 3, see `quickdraw.drawings.rasterise`.
        redraw: draws the lines of images as strokes are drawn, see `quickdraw.drawings.redraw`.
        keep_strokes: stores the strokes beside the image.
        keep_metadata: stores whether Google recognised a drawing, and with its strokes the times of
            the points, where the source says so.
        shard_megabytes: about how large a shard is.
        gzip: packs the shards.
    """

    categories: tuple[str, ...] | None = None
    per_category: int | None = field(None, low=1)
    fraction: float = field(1.0, low=1e-6, high=1)
    recognized_only: bool = False
    balance: bool = False
    percentages: splits.Percentages = splits.DEFAULT
    image_size: int = field(28, low=1, high=1024)
    line_width: float = field(16.0, low=1, high=256)
    padding: float = field(16.0, low=0, high=1024)
    channels: int = 1
    redraw: bool = False
    keep_strokes: bool = False
    keep_metadata: bool = False
    shard_megabytes: float = field(100.0, low=0.001, high=10_000)
    gzip: bool = False

    def __post_init__(self) -> None:
        check(self)
        if self.categories is not None:
            if not self.categories:
                raise QuickdrawError("no category is named: one or more expected")
            object.__setattr__(self, "categories", tuple(map(clean, self.categories)))
        if self.channels not in (1, 3):
            raise QuickdrawError(f"channels must be 1 or 3. Received: {self.channels}")

    def record(self, drawing: Drawing, label: int | None, image_id: str) -> bytes:
        """Serialise a drawing as an Example, a test record where there is no label."""
        features: dict[str, bytes | int | list[float] | list[int]] = {
            "image": png.encode(self.image(drawing))
        }
        if self.keep_strokes and drawing.strokes is not None:
            ink = ink_of(drawing.strokes)
            features |= {"ink": ink.ravel().tolist(), "shape": list(ink.shape)}
            if self.keep_metadata and (times := times_of(drawing.strokes)):
                features["times"] = times
        if drawing.countrycode:
            features["countrycode"] = drawing.countrycode.encode()
        if label is None:
            return example.serialise(image_id=image_id.encode(), **features)
        if self.keep_metadata and drawing.recognized is not None:
            features["recognized"] = drawing.recognized
        if drawing.key_id:  # not in a test record: it would give the word away
            features["key_id"] = drawing.key_id.encode()
        return example.serialise(label=label, **features)

    def image(self, drawing: Drawing) -> np.ndarray:
        """Return a drawing's image: uint8 `[image_size, image_size]`, or `[…, 3]` in colour."""
        if drawing.strokes is not None:
            if self.redraw:
                raise QuickdrawError("redraw needs images. Received: strokes, which are drawn so")
            if not drawing.strokes:
                colours = (3,) if self.channels == 3 else ()
                return np.zeros((self.image_size, self.image_size, *colours), np.uint8)
            return rasterise.rasterise(
                drawing.strokes, self.image_size, self.line_width, self.padding, self.channels
            )
        assert drawing.image is not None
        if self.channels == 3:
            raise QuickdrawError("channels=3 needs strokes. Received: an image")
        if self.redraw:
            drawn = Rendering("quickdraw", self.line_width, self.padding)
            return drawn.redrawn(drawing.image, self.image_size)
        return _resize(drawing.image, self.image_size)


def key_of(drawing: Drawing) -> int:
    """Return the drawing's 64-bit hash, by which it is split, shuffled and compared."""
    if drawing.strokes is not None:
        return splits.key_of(splits.content_of_strokes(drawing.strokes))
    assert drawing.image is not None
    return splits.key_of(splits.content_of(drawing.image))


def id_of(drawing: Drawing, key: int, labelled: bool) -> str:
    """Return the id of a test record: its key_id if unlabelled, else one that hides the answer.

    The key is one that no other record has: copies in a test set get keys of their own.
    """
    return drawing.key_id if drawing.key_id and not labelled else f"{key:016x}"


def _resize(image: np.ndarray, size: int) -> np.ndarray:
    if image.shape == (size, size):
        return image
    return np.asarray(Image.fromarray(image).resize((size, size), Image.Resampling.LANCZOS))
