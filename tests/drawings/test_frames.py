"""The edge of a scan is taken off; ink that touches the edge, or fills a picture, is not."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from picturing import doodle, saved

from quickdraw.drawings import greyscale
from quickdraw.drawings.frames import UNFRAMED, without_frame
from quickdraw.drawings.polarity import ALONE

PAGE = np.asarray(doodle(250, 20, (80, 60)))


def framed(page, broad, shade):
    top, right, bottom, left = broad
    return np.pad(page, ((top, bottom), (left, right)), constant_values=shade)


@pytest.mark.parametrize("broad", [(6, 6, 6, 6), (5, 0, 0, 8), (0, 0, 1, 0)])
@pytest.mark.parametrize("is_chalk", [False, True])
def test_a_frame_is_painted_as_the_paper(broad, is_chalk):
    picture = framed(PAGE, broad, 0)
    wanted = framed(PAGE, broad, 250)
    if is_chalk:
        picture, wanted = 255 - picture, 255 - wanted
    np.testing.assert_array_equal(without_frame(picture), wanted)
    found = greyscale.decode(saved(greyscale.Image.fromarray(picture)))
    image, adjusted = greyscale.on_black(found, ALONE)
    assert UNFRAMED in adjusted
    assert image[0, 0] == image[-1, -1] == 5
    assert image.max() >= 230


def square(low, high):
    picture = np.full((60, 60), 255, np.uint8)
    picture[low:high, low:high] = 0
    return picture


@pytest.mark.parametrize(
    "picture",
    [
        PAGE,
        square(5, 55),  # filled, on a margin
        np.minimum(PAGE, framed(np.full((30, 40), 255, np.uint8), (15, 40, 15, 0), 0)),
        np.where(np.hypot(*np.mgrid[-30:30, -30:30]) < 28, 0, 255).astype(np.uint8),
        np.asarray(doodle(size=(28, 28))),
        framed(np.asarray(doodle(size=(24, 24))), (2, 2, 2, 2), 0),  # drawn, not scanned
        np.zeros((50, 50), np.uint8),
    ],
    ids=["page", "square", "half", "disc", "small", "small frame", "nothing"],
)
def test_what_is_no_frame_stays(picture):
    if picture is not None:
        assert without_frame(picture) is picture


@given(st.integers(0, 2**32 - 1), st.integers(33, 90), st.integers(33, 90))
def test_any_picture_keeps_its_size(seed, height, width):
    picture = np.random.default_rng(seed).integers(0, 256, (height, width), np.uint8)
    assert without_frame(picture).shape == picture.shape


def test_a_long_picture_is_padded_with_its_paper():
    page = greyscale.Image.fromarray(np.asarray(doodle(225, 20, (120, 40))))
    image, _ = greyscale.on_black(greyscale.decode(saved(page)), ALONE)
    assert image.shape == (120, 120)
    assert image[0, 0] == image[60, 119] == 30
