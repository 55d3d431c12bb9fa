"""What every source gives: files of drawings, each cut into records that can be read one by one."""

from __future__ import annotations

import abc
import contextlib
import dataclasses
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from quickdraw import storage
from quickdraw.drawings.drawing import BLANK, EMPTY, Drawing, LostRecord, SkippedDrawing
from quickdraw.drawings.greyscale import INVERTED, STRETCHED
from quickdraw.drawings.polarity import Polarity
from quickdraw.errors import QuickdrawError

Record = tuple[int, bytes | SkippedDrawing]
"""Where in its file a drawing is, and what stands there, or why that cannot be used."""

Read = Callable[[int, int], bytes]

_DARKEST = (0, 254)  # of truth values, as they are stored and inverted


class DrawingFile(abc.ABC):
    """A file (or a folder of pictures) with drawings; picklable, for the worker processes.

    A drawing is known by its position, a byte offset unless the format says otherwise, and its
    size in bytes. Nothing else about it is kept while the files are read for the first time.

    Attributes:
        path: the file.
        category: the word of all its drawings; None where each names its own, or none does.
        split: `train`, `valid` or `test` where somebody else has set its drawings apart.
        polarity: which way round its images are.
    """

    def __init__(self, path: str, category: str | None = None, split: str | None = None):
        self.path, self.category, self.split = path, category, split
        self.polarity = Polarity()

    @property
    def size(self) -> int:
        """Bytes to read, for the progress bar."""
        return storage.file_size(self.path)

    def pieces(self, size: int) -> list[tuple[int, int]]:
        """Return ranges of about `size` bytes for `scan`; the whole file if it cannot be cut."""
        return [(0, self.size)]

    @abc.abstractmethod
    def scan(self, start: int, stop: int) -> Iterator[Record]:
        """Yield the records that begin in a range."""

    @abc.abstractmethod
    def parse(self, position: int, data: bytes) -> Drawing:
        """Return the drawing of a record.

        An image, where it has one, is uint8 `[height, width]`, strokes 255 on 0.

        Raises:
            SkippedDrawing: it cannot be used.
        """

    def glimpse(self, count: int) -> Iterator[np.ndarray]:
        """Yield some images as they are stored, uint8 `[height, width]`; none where strokes are."""
        yield from ()

    def drawing(self, position: int, data: bytes) -> Drawing:
        """Return the drawing of a record; of a test record an empty one sooner than none.

        Whatever has no label is a test record, and its id is asked for: it comes out in any case.
        So does one of a labelled test set that is merely blank.

        Raises:
            SkippedDrawing: it cannot be used.
            QuickdrawError: nor may it be left out.
        """
        try:
            drawing = self.parse(position, data)
            if drawing.image is None:
                return drawing
            contrast = _contrast(drawing.image)
            if not contrast:
                raise SkippedDrawing(BLANK, rest=drawing)
            return self._stretched(drawing) if contrast == 1 else drawing
        except LostRecord as error:
            raise QuickdrawError(f"{self.place(position)}: {error}") from None
        except SkippedDrawing as error:
            rest = error.rest
            if rest and (rest.word is None or (self.split == "test" and error.reason in EMPTY)):
                kept = f"kept, as a test record ({error.reason})"
                return rest._replace(adjusted=(*rest.adjusted, kept))
            raise

    def _stretched(self, drawing: Drawing) -> Drawing:
        """Return the drawing with pixels of 0 and 255 where all of them are 0 and 1.

        Raises:
            SkippedDrawing: two neighbouring greys of another kind, in which nobody sees a thing.
        """
        image: Any = drawing.image
        low = image.min()
        if image.max() - low > 1:
            return drawing
        if low not in _DARKEST:
            raise SkippedDrawing(BLANK, rest=drawing)
        image, adjusted = 255 * (image - low), (*drawing.adjusted, STRETCHED)
        if not self.polarity.told and self.polarity.is_dark(image):
            image, adjusted = 255 - image, (*adjusted, INVERTED)
        return drawing._replace(image=image, adjusted=adjusted)

    @contextlib.contextmanager
    def opened(self) -> Iterator[Read]:
        """Yield `read(position, size)`: the same bytes that `scan` gave."""
        descriptor = os.open(self.path, os.O_RDONLY)
        try:
            yield lambda position, size: os.pread(descriptor, size, position)
        finally:
            os.close(descriptor)

    def place(self, position: int) -> str:
        """Return where a drawing is, for messages."""
        return f"{self.path}, byte {position:,}"


@dataclasses.dataclass(frozen=True)
class Source:
    """Files of one format.

    Attributes:
        format: its name in words, such as "numpy bitmaps".
        files: in the order in which they are read.
        labels: names of the classes in label order, where the source itself says so.
        has_strokes: whether there are strokes, or may be, rather than images.
        unread: what was found and not read: names of files, patterns or columns → how many.
        inputs: paths of all files that decide what the drawings and their labels are, as the user
            knows them; none where they are made up.
        flags: how the files were told to be read, by the names of the flags.
    """

    format: str
    files: list[DrawingFile]
    labels: list[str] | None = None
    has_strokes: bool = False
    unread: dict[str, int] = dataclasses.field(default_factory=dict)
    inputs: Sequence[str] = ()
    flags: Mapping[str, str | None] = dataclasses.field(default_factory=dict)


def light_on_dark(
    word: str | None, image: np.ndarray, polarity: Polarity, adjusted: tuple[str, ...] = ()
) -> Drawing:
    """Return the drawing of an image that lies in its file as it is, uint8 `[side, side]`."""
    if polarity.is_dark(image):
        image, adjusted = 255 - image, (*adjusted, INVERTED)
    return Drawing(word, None, image, "", "", None, adjusted)  # by place: half the time


def spread(size: int, count: int) -> range:
    """Return about `count` of `size` positions, evenly spread."""
    return range(0, size, max(size // count, 1))


def _contrast(image: np.ndarray) -> int:
    """Return by how much two pixels of a uint8 image differ, whichever; 0 if none do."""
    pixels = image.tobytes()
    if 0 in pixels and 255 in pixels:  # most have both, and bytes are searched fastest
        return 255
    corner, lower = pixels[:1], pixels[len(pixels) // 2 :]  # ink is sooner found in the middle
    rest = lower.lstrip(corner) or pixels.lstrip(corner)  # begins with a pixel that differs
    return abs(rest[0] - corner[0]) if rest else 0


def cut(size: int, most: int) -> list[tuple[int, int]]:
    """Cut `size` into ranges of at most `most`."""
    return [(start, min(start + most, size)) for start in range(0, size, most)]


def line_number(path: str, position: int) -> int:
    """Return the number of the line that begins at a byte, counted from 1."""
    with storage.open_binary(path) as file:
        lines = 1
        while position > 0 and (block := file.read(min(position, 1 << 20))):
            lines += block.count(b"\n")
            position -= len(block)
    return lines
