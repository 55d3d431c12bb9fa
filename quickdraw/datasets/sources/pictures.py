"""Folders of pictures: `<category>/*.png` and other kinds, of any size and polarity."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator

import numpy as np

from quickdraw import storage
from quickdraw.datasets.sources.base import DrawingFile, Read, Record, cut, spread
from quickdraw.drawings import greyscale
from quickdraw.drawings.drawing import Drawing, SkippedDrawing

_LARGEST_FILE = 1 << 26


class Pictures(DrawingFile):
    """The pictures of one category; a drawing's position is its number in the sorted folder.

    Args:
        path: the folder.
        category: its name; None for test records, whose ids are the names of the files.
    """

    def __init__(self, path: str, category: str | None):
        super().__init__(path, category)
        self.names = pictures_in(path)

    @property
    def size(self) -> int:
        return sum(storage.file_size(os.path.join(self.path, name)) for name in self.names)

    def pieces(self, size: int) -> list[tuple[int, int]]:
        return cut(len(self.names), 1000)

    def scan(self, start: int, stop: int) -> Iterator[Record]:
        for position in range(start, min(stop, len(self.names))):
            data = self._read(position, _LARGEST_FILE)
            if len(data) < _LARGEST_FILE:
                yield position, data
            else:
                yield position, SkippedDrawing("a picture of more than 64 MB")

    def glimpse(self, count: int) -> Iterator[np.ndarray]:
        for position in spread(len(self.names), count):
            with contextlib.suppress(SkippedDrawing):
                found = greyscale.decode(self._read(position, _LARGEST_FILE))
                if not found.is_inked:
                    yield found.pixels

    @contextlib.contextmanager
    def opened(self) -> Iterator[Read]:
        yield self._read

    def _read(self, position: int, size: int) -> bytes:
        with storage.open_binary(self.place(position)) as file:
            data = file.read(size)
        storage.refuse_pointer(self.place(position), data)
        return data

    def word(self, position: int) -> str | None:
        """Return the class of a picture."""
        return self.category

    def parse(self, position: int, data: bytes) -> Drawing:
        word = self.word(position)
        known = Drawing(word, [], key_id="" if word else self._stem(position))
        try:
            image, adjusted = greyscale.on_black(greyscale.decode(data), self.polarity)
        except SkippedDrawing as error:
            error.rest = known
            raise
        return known._replace(strokes=None, image=image, adjusted=adjusted)

    def _stem(self, position: int) -> str:
        return os.path.splitext(self.names[position])[0]

    def place(self, position: int) -> str:
        return os.path.join(self.path, self.names[position])


def pictures_in(folder: str) -> list[str]:
    """Return the names of the pictures in a folder, sorted; no pipes, folders or broken links."""
    return [
        name
        for name in storage.listdir(folder)
        if name.lower().endswith(greyscale.ENDINGS)
        and not name.startswith(".")
        and (storage.is_remote(folder) or os.path.isfile(os.path.join(folder, name)))
    ]
