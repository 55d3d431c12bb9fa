"""Pictures of lines by anybody's renderer come out as strokes that are drawn here."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageDraw, ImageFilter

from quickdraw.drawings.redraw import is_unclear, line_width
from quickdraw.drawings.rendering import Rendering

CAT = [
    [[20, 0, 60, 120, 190, 255, 235], [90, 0, 50, 55, 45, 5, 95]],
    [[20, 15, 60, 130, 200, 240, 235], [90, 170, 230, 250, 225, 160, 95]],
    [[80, 85], [120, 125]],
    [[170, 175], [118, 123]],
    [[100, 130, 160], [190, 205, 188]],
]
SUPERSAMPLED = 4


def by_another(strokes, width=2.0, side=254, reach=180.0, corner=(37.0, 37.0), ink=160):
    """Draw as another program does: uint8 `[side, side]`, light on dark."""
    picture = Image.new("L", (side * SUPERSAMPLED,) * 2)
    brush = ImageDraw.Draw(picture)
    radius = width * SUPERSAMPLED / 2
    for xs, ys in strokes:
        points = [
            (
                (x * reach / 255 + corner[0]) * SUPERSAMPLED,
                (y * reach / 255 + corner[1]) * SUPERSAMPLED,
            )
            for x, y in zip(xs, ys, strict=True)
        ]
        brush.line(points, fill=ink, width=round(2 * radius), joint="curve")
        for x, y in points:
            brush.ellipse((x - radius, y - radius, x + radius, y + radius), fill=ink)
    return np.asarray(picture.reduce(SUPERSAMPLED))


def likeness(image, strokes=CAT, size=28, rendering=None) -> float:
    """The pixels' correlation with what is drawn here."""
    expected = (rendering or Rendering()).image(strokes, size)
    return float(np.corrcoef(image.ravel(), expected.ravel())[0, 1])


@pytest.mark.parametrize("width", [1.0, 2.0, 4.0, 8.0, 12.0, 18.0])
def test_lines_of_any_width(width):
    drawn = by_another(CAT, width)
    assert likeness(Rendering().redrawn(drawn, 28)) > 0.97
    assert is_unclear(drawn, 28) == (width < 6.5)
    assert Rendering().legible(drawn, 28).shape == (28, 28)
    assert Rendering("other").legible(drawn, 28) is drawn


@pytest.mark.parametrize("size", [28, 64])
def test_what_is_drawn_as_here_is_only_resized(size):
    for side in (112, 280, 1200):
        drawn = Rendering().image(CAT, side)[:, :, 0]
        assert Rendering().legible(drawn, size) is drawn
        enlarged = Rendering().image(CAT, size)[:, :, 0].repeat(7, axis=0).repeat(7, axis=1)
        assert Rendering().legible(enlarged, size) is enlarged
        assert Rendering("mnist").legible(drawn, size) is not drawn
        assert Rendering(line_width=40.0).legible(drawn, size) is not drawn


@pytest.mark.parametrize(
    "changed",
    [
        {"reach": 140.0, "corner": (57.0, 57.0)},  # small
        {"corner": (4.0, 24.0)},  # not in the middle
        {"width": 3.0},
        {"width": 32.0},
        {"ink": 90},
    ],
)
def test_any_other_picture_is_redrawn(changed):
    usual = {"width": 14.0, "reach": 213.0, "corner": (20.5, 24.5), "ink": 255}
    as_here = by_another(CAT, **usual)
    assert Rendering().legible(as_here, 28) is as_here
    other = by_another(CAT, **usual | changed)
    assert likeness(Rendering().legible(other, 28)) > 0.97


def test_ink_on_grey_paper_is_redrawn():
    photo = np.uint8(80 + by_another(CAT, 14.0, reach=213.0, corner=(20.5, 24.5)))
    assert is_unclear(photo, 28)
    assert likeness(Rendering().legible(photo, 28)) > 0.97


@given(
    reach=st.floats(80, 400),
    side=st.integers(420, 600),
    at=st.tuples(st.floats(0, 1), st.floats(0, 1)),
    ink=st.integers(60, 255),
    size=st.sampled_from([28, 32, 64]),
)
def test_any_place_size_and_brightness(reach, side, at, ink, size):
    room = side - reach - 8
    corner = 4 + at[0] * room, 4 + at[1] * room
    drawn = by_another(CAT, 3.0, side, reach, corner, ink)
    assert likeness(Rendering().redrawn(drawn, size), size=size) > 0.93


def test_a_photograph_with_shadow_and_grain():
    """Light falls off from one corner, the paper is grey, the sensor noisy, the page large."""
    drawn = by_another(CAT, 9.0, 1500, 900.0, (350.0, 280.0), 255)
    y, x = np.mgrid[0:1:1500j, 0:1:1500j]
    paper = 200 - 70 * x - 50 * y
    grain = np.random.default_rng(0).normal(0, 4, drawn.shape)
    photo = np.clip(paper * (1 - 0.75 * drawn / 255) + grain, 0, 255).astype(np.uint8)
    soft = np.asarray(Image.fromarray(photo).filter(ImageFilter.GaussianBlur(1)))
    assert likeness(Rendering().redrawn(255 - soft, 28)) > 0.97


def test_digits_as_mnist_has_them():
    two = [[[20, 90, 160, 150, 30, 20, 190], [60, 0, 50, 110, 230, 255, 250]]]
    mnist = Rendering("mnist")
    drawn = mnist.redrawn(by_another(two, 5.0), 28)
    assert likeness(drawn, two, rendering=mnist) > 0.93
    rows, columns = (drawn.max(axis=axis).nonzero()[0] for axis in (1, 0))
    assert 19 <= max(np.ptp(rows), np.ptp(columns)) + 1 <= 22


def test_what_is_no_drawing_of_lines():
    assert not Rendering().redrawn(np.zeros((254, 254), np.uint8), 28).any()
    assert not Rendering().redrawn(np.full((254, 254), 90, np.uint8), 28).any()
    dot = by_another([[[0], [0]]], 4.0)
    assert Rendering().redrawn(dot, 28).any()
    y, x = np.mgrid[:200, :200]
    disc = np.uint8(255 * ((x - 60) ** 2 + (y - 70) ** 2 < 40**2))
    filled = Rendering().redrawn(disc, 28)
    assert 0.4 < (filled > 127).mean() < 0.7  # it stays filled, and fills the box


def test_a_picture_of_the_very_size_is_taken_as_it_is():
    image = Rendering().image(CAT, 28)[:, :, 0]
    np.testing.assert_array_equal(Rendering().redrawn(image, 28), image)


@pytest.mark.parametrize("width", [2, 5, 9, 16])
def test_line_width(width):
    assert line_width(by_another(CAT, width, ink=255) > 127) == pytest.approx(width, abs=1.01)


def test_a_small_or_empty_picture_is_not_unclear():
    assert not is_unclear(by_another(CAT, 1.0, 28, 20.0, (4, 4)), 28)
    assert not is_unclear(np.zeros((99, 99), np.uint8), 28)
