"""Folders of pictures: `<category>/*.png` or `.jpg`, of any size and polarity."""

from __future__ import annotations

import contextlib
import io
import os
import warnings
from collections.abc import Iterator, Sequence

import numpy as np
from PIL import Image, ImageOps

from quickdraw import storage
from quickdraw.console import log
from quickdraw.datasets.sources.base import DrawingFile, Read, Record, cut
from quickdraw.drawings.drawing import Drawing, SkippedDrawing
from quickdraw.errors import QuickdrawError

ENDINGS = (".png", ".jpg", ".jpeg")
POLARITIES = ("dark_on_light", "light_on_dark")
_MOST_PIXELS = 25_000_000
_LARGEST_FILE = 1 << 26
_LOOKED_AT = 100


class Pictures(DrawingFile):
    """The pictures of one category; a drawing's position is its number in the sorted folder.

    Args:
        path: the folder.
        category: its name.
        inverted: whether the ink is dark.
    """

    def __init__(self, path: str, category: str, inverted: bool = False):
        super().__init__(path, category)
        self.inverted = inverted
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

    @contextlib.contextmanager
    def opened(self) -> Iterator[Read]:
        yield self._read

    def _read(self, position: int, size: int) -> bytes:
        with storage.open_binary(self.place(position)) as file:
            return file.read(size)

    def parse(self, position: int, data: bytes) -> Drawing:
        return Drawing(self.category, image=decode(data, self.inverted))

    def place(self, position: int) -> str:
        return os.path.join(self.path, self.names[position])


def pictures_in(folder: str) -> list[str]:
    """Return the names of the pictures in a folder, sorted."""
    return [
        name
        for name in storage.listdir(folder)
        if name.lower().endswith(ENDINGS) and not name.startswith(".")
    ]


def decode(data: bytes, inverted: bool = False) -> np.ndarray:
    """Decode a picture to a uint8 image `[side, side]`.

    Transparent pixels become white; the shorter side is padded.

    Raises:
        SkippedDrawing: not a picture, a damaged one, or one that would unpack to too many pixels.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            picture = Image.open(io.BytesIO(data), formats=("PNG", "JPEG"))
            if picture.width * picture.height > _MOST_PIXELS:
                raise Image.DecompressionBombError
            grey = _grey(picture)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise SkippedDrawing("a picture of more than 25 million pixels") from None
    except (OSError, ValueError, SyntaxError) as error:
        what = str(error).splitlines()[0]
        raise SkippedDrawing("not a picture that can be read", what) from None
    if inverted:
        grey = ImageOps.invert(grey)
    side = max(grey.size)
    return np.asarray(grey if grey.size == (side, side) else ImageOps.pad(grey, (side, side)))


def _grey(picture: Image.Image) -> Image.Image:
    if picture.mode.startswith("I"):  # 16 bits a pixel, which convert("L") cuts off
        return Image.fromarray((np.asarray(picture) >> 8).astype(np.uint8))
    if picture.has_transparency_data:
        layer = picture.convert("RGBA")
        picture = Image.alpha_composite(Image.new("RGBA", layer.size, "white"), layer)
    return picture.convert("L")


def find_polarity(folders: Sequence[Pictures]) -> bool:
    """Return whether the ink is dark, judged by the borders of some hundred pictures; log it.

    Raises:
        QuickdrawError: some pictures are dark on light and others light on dark.
    """
    everything = [(folder, at) for folder in folders for at in range(len(folder.names))]
    dark, total = 0, 0
    for folder, position in everything[:: -(-len(everything) // _LOOKED_AT)]:
        try:
            with folder.opened() as read:
                image = folder.parse(position, read(position, _LARGEST_FILE)).image
        except SkippedDrawing:
            continue
        assert image is not None
        border = np.concatenate((image[0], image[-1], image[:, 0], image[:, -1]))
        dark += int(np.median(border) > 127)
        total += 1
    if 0.1 * total < dark < 0.9 * total:
        raise QuickdrawError(
            f"{dark} of {total} pictures are dark on light, the others light on dark: give "
            f"--polarity={POLARITIES[0]} or {POLARITIES[1]}, and separate folders"
        )
    inverted = 2 * dark > total
    log(f"the pictures are {POLARITIES[not inverted].replace('_', ' ')} (seen in {total} of them)")
    return inverted
