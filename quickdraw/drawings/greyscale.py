"""Pictures of any kind as grey pixels: upright, on paper, and no larger than memory allows.

Files of pictures, pictures in records, and what a trained model is asked about all come through
here, so that the same picture means the same everywhere.
"""

from __future__ import annotations

import contextlib
import io
import math
import warnings
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from PIL import ExifTags, Image, ImageOps

from quickdraw.drawings.drawing import SkippedDrawing
from quickdraw.drawings.frames import UNFRAMED, without_frame
from quickdraw.drawings.polarity import Polarity, border

FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF", "AVIF", "PPM", "JPEG2000")
"""What Pillow calls them; each is known by its first bytes, and read without another program."""
ENDINGS = (
    *(".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".webp", ".bmp", ".gif", ".tif", ".tiff"),
    *(".avif", ".pbm", ".pgm", ".ppm", ".jp2", ".j2k"),
)

INVERTED = "dark on light: inverted"
UPRIGHT = "turned upright, as EXIF says"
FIRST_FRAME = "the first of several frames"
LAST_FRAME = "the last of several frames, as the first is blank"
UNROLLED = "one row of pixels: made square"
STRETCHED = "pixels of 0 and 1: times 255"
_MOST_PIXELS = 25_000_000
_UNREADABLE = "not a picture that can be read"
_TOO_MANY = "a picture of more than 25 million pixels"
_LONGEST_SIDE = 10_000
_OPAQUE = 128  # of 255
_LIGHT = 192  # of 255: ink that would be lost on white paper
_NEARLY_ALL = 0.9
_SMALLEST_ROW = 64  # pixels in a row that are a square of them
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


class UnknownKindError(SkippedDrawing):
    """Bytes that begin as no picture of `FORMATS` does."""


class Grey(NamedTuple):
    """A picture in grey.

    Attributes:
        pixels: uint8 `[height, width]`.
        is_inked: whether it is known to be ink, 255, on 0: so where the paper is transparent.
        adjusted: what was done to it, in words.
    """

    pixels: np.ndarray
    is_inked: bool
    adjusted: tuple[str, ...]


def decode(data: bytes) -> Grey:
    """Decode a file in one of `FORMATS`.

    Raises:
        UnknownKindError: not a picture.
        SkippedDrawing: a damaged one, or one that has, or would unpack to, too many pixels.
    """
    with damage():
        try:
            return grey(Image.open(io.BytesIO(data), formats=FORMATS))
        except Image.UnidentifiedImageError:
            what = f"{len(data):,} bytes that begin with {data[:8]!r}"
            raise UnknownKindError(_UNREADABLE, what) from None


@contextlib.contextmanager
def damage() -> Iterator[None]:
    """Turn whatever Pillow's readers raise, which may be anything, into SkippedDrawing."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about damage that can be read past
        try:
            yield
        except SkippedDrawing:
            raise
        except Image.DecompressionBombError:
            raise SkippedDrawing(_TOO_MANY) from None
        except Exception as error:
            what = " ".join(str(error).split()) or type(error).__name__
            raise SkippedDrawing(_UNREADABLE, what) from None


def on_black(found: Grey, polarity: Polarity) -> tuple[np.ndarray, tuple[str, ...]]:
    """Return a picture as strokes 255 on 0, and what was done to it, in words.

    The image is uint8 `[side, side]`; the shorter side is padded.
    """
    pixels, is_inked, adjusted = found
    if not is_inked and polarity.is_dark(pixels):
        pixels, adjusted = 255 - pixels, (*adjusted, INVERTED)
    height, width = pixels.shape
    if height != width:
        side, paper = max(height, width), int(np.median(border(pixels)))
        pixels = np.asarray(ImageOps.pad(Image.fromarray(pixels), (side, side), color=paper))
    return pixels, adjusted


def grey(picture: Image.Image) -> Grey:
    """Return a picture of any mode in grey.

    Raises:
        SkippedDrawing: it has too many pixels, or too many in a row, or values beyond 16 bits.
    """
    flat, paper, adjusted = _flat(picture)
    pixels = np.asarray(flat.convert("L"))
    if pixels.max() == 1:
        pixels, adjusted = 255 * pixels, (*adjusted, STRETCHED)
    if paper == "white":
        pixels = 255 - pixels
    if min(pixels.shape) == 1 < max(pixels.shape):
        pixels, adjusted = _unrolled(pixels), (*adjusted, UNROLLED)
    if paper is None and (framed := without_frame(pixels)) is not pixels:
        pixels, adjusted = framed, (*adjusted, UNFRAMED)
    return Grey(pixels, paper is not None, adjusted)


def colours(picture: Image.Image) -> np.ndarray:
    """Return a picture of any mode in colour, uint8 `[height, width, 3]`, upright and on paper.

    Raises:
        SkippedDrawing: as `grey` does.
    """
    return np.asarray(_flat(picture)[0].convert("RGB"))


def check_size(width: int, height: int) -> None:
    """Raise SkippedDrawing for a picture that is too large, before memory is taken for it."""
    shown = f"{width:,} x {height:,}"
    if width * height > _MOST_PIXELS:
        raise SkippedDrawing(_TOO_MANY, shown)
    if max(width, height) > _LONGEST_SIDE:
        raise SkippedDrawing(f"a picture of more than {_LONGEST_SIDE:,} pixels a side", shown)


def _flat(picture: Image.Image) -> tuple[Image.Image, str | None, tuple[str, ...]]:
    """Return a picture upright and opaque, its paper if that was transparent, and what was done."""
    check_size(*picture.size)
    picture.load()  # a PNG may say after its pixels how it is to be turned
    adjusted = (_choose_frame(picture),) if getattr(picture, "is_animated", False) else ()
    flat, paper = _on_paper(_eight_bits(picture))
    turn = _turn_of(picture)
    if turn is None:
        return flat, paper, adjusted
    return flat.transpose(turn), paper, (*adjusted, UPRIGHT)


def _choose_frame(picture: Image.Image) -> str:
    """Turn to the last of several frames where the first is blank; return which it is."""
    pixels = np.asarray(picture)
    if (pixels != pixels[:1, :1]).any():
        return FIRST_FRAME
    picture.seek(getattr(picture, "n_frames", 1) - 1)
    check_size(*picture.size)
    picture.load()
    return LAST_FRAME


def _eight_bits(picture: Image.Image) -> Image.Image:
    """Return a picture of 8 bits a channel; `convert` would cut the numbers of others off."""
    if picture.mode == "F":
        raise SkippedDrawing("a picture of numbers with a fraction")
    if not picture.mode.startswith("I"):
        return picture
    values = np.asarray(picture)
    low, high = int(values.min()), int(values.max())
    if low < 0 or high > 0xFFFF:
        raise SkippedDrawing("a picture of more than 16 bits a pixel", f"{low} to {high}")
    # Programs store 8, 10 or 12 bits as 16: the lightest pixel tells how many are used.
    return Image.fromarray((values >> max(high.bit_length() - 8, 0)).astype(np.uint8))


def _on_paper(picture: Image.Image) -> tuple[Image.Image, str | None]:
    """Lay a picture on paper that its ink differs from; return the paper if it shows all round.

    Where the paper is transparent, what is opaque is ink: light ink is laid on black, any other on
    white. A few transparent places in a picture with paper of its own are white.
    """
    if not picture.has_transparency_data:
        return picture, None
    layer = picture.convert("RGBA")
    opacity = np.asarray(layer.getchannel("A"))
    border = np.concatenate((opacity[0], opacity[-1], opacity[:, 0], opacity[:, -1]))
    is_paper = min(np.median(border), np.median(opacity)) < _OPAQUE
    is_light = np.asarray(layer.convert("L")) > _LIGHT
    total = opacity.sum()
    is_chalk = is_paper and 0 < _NEARLY_ALL * total <= opacity[is_light].sum()
    paper = "black" if is_chalk else "white"
    flat = Image.alpha_composite(Image.new("RGBA", layer.size, paper), layer)
    return flat, paper if is_paper else None


def _turn_of(picture: Image.Image) -> Image.Transpose | None:
    """Return how a picture must be turned to be upright; Pillow turns a TIFF while loading it."""
    if any("exif" in str(key) or "xmp" in str(key) for key in picture.info):
        with contextlib.suppress(Exception):  # Pillow raises nearly anything for damaged EXIF
            return _TURNS.get(picture.getexif().get(ExifTags.Base.Orientation, 1))
    return None


def _unrolled(row: np.ndarray) -> np.ndarray:
    """Return the square image whose pixels somebody stored in one row: 28 x 28 for 784.

    Raises:
        SkippedDrawing: there is no such square.
    """
    side = math.isqrt(row.size)
    if side * side != row.size or row.size < _SMALLEST_ROW:
        height, width = row.shape
        raise SkippedDrawing("a picture one pixel wide", f"{width:,} x {height:,}")
    return row.reshape(side, side)
