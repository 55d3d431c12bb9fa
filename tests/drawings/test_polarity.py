"""Dark on light or light on dark: seen in each picture, and left to the others where unclear."""

import json
from pathlib import Path

import numpy as np
import pytest
from picturing import doodle
from PIL import Image, ImageDraw, ImageFilter

from quickdraw.drawings.polarity import ALONE, Polarity, above_paper, judge
from quickdraw.drawings.rasterise import rasterise

DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "quickdraw"
HOUSE = [[[20, 20, 230, 230, 20], [240, 110, 110, 240, 240]], [[20, 125, 230], [110, 10, 110]]]

HOUSE_AS_POINTS = [(0, 70), (0, 150), (150, 150), (150, 70), (0, 70), (75, 0), (150, 70)]


def image_of(strokes, size=28):
    return rasterise(strokes, size)


def cropped(image):
    """The drawing without its margin: its ink touches all four sides."""
    rows, columns = np.nonzero(image > 64)
    return image[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]


def photograph(paper, ink, size=(240, 180), noise=4.0):
    """A drawing under a lamp: light falls off to one side and to the corners."""
    lines = Image.new("L", size)
    ImageDraw.Draw(lines).line((60, 40, 150, 60, 120, 140, 70, 130, 60, 40), fill=255, width=4)
    covered = np.asarray(lines.filter(ImageFilter.GaussianBlur(1))) / 255
    y, x = np.mgrid[-0.5 : 0.5 : size[1] * 1j, -0.5 : 0.5 : size[0] * 1j]
    light = (1 + 0.4 * x) * (1 - 0.5 * (x**2 + y**2))
    grey = (paper * (1 - covered) + ink * covered) * light
    grey += np.random.default_rng(0).normal(0, noise, grey.shape)
    return grey.clip(0, 255).astype(np.uint8)


@pytest.mark.parametrize("size", [28, 64, 200])
def test_a_drawing_speaks_for_itself(size):
    drawn = image_of(HOUSE, size)
    assert judge(drawn) == (False, True)
    assert judge(255 - drawn) == (True, True)


@pytest.mark.parametrize(("paper", "ink"), [(230, 60), (150, 60), (110, 50), (90, 20)])
def test_grey_paper_in_a_photograph_is_paper(paper, ink):
    assert judge(photograph(paper, ink)) == (True, True)


@pytest.mark.parametrize(("paper", "ink"), [(30, 200), (60, 190), (100, 240)])
def test_a_board_with_chalk_is_dark(paper, ink):
    assert judge(photograph(paper, ink)) == (False, True)


@pytest.mark.parametrize("size", [28, 128])
def test_a_frame_that_fills_the_picture_is_unclear(size):
    frame = np.zeros((size, size), np.uint8)
    frame[[0, 1, -2, -1]] = frame[:, [0, 1, -2, -1]] = 255
    for image in (frame, 255 - frame):
        assert not judge(image).sure
    for dark in (True, False):
        assert Polarity(dark, told=False).is_dark(255 - frame if dark else frame) is dark


@pytest.mark.parametrize("value", [0, 100, 255])
def test_a_blank_picture_is_unclear(value):
    blank = np.full((28, 28), value, np.uint8)
    assert not judge(blank).sure
    assert judge(np.full((1, 1), value, np.uint8)) == (False, False)


@pytest.mark.parametrize("pale", [1, 8, 14])
def test_ink_as_pale_as_noise_is_judged_by_its_paper(pale):
    """Such as thin lines in pure blue on black, and in yellow on white."""
    light = image_of(HOUSE) // 255 * pale
    for dark in (True, False):
        usual = Polarity(dark, told=False)
        assert not usual.is_dark(light)
        assert usual.is_dark(255 - light)
        assert usual.is_dark(100 + light) is dark


def test_one_among_others_is_seen():
    usual = Polarity(dark=False, told=False)
    assert usual.is_dark(np.asarray(doodle(255, 0)))
    assert not usual.is_dark(np.asarray(doodle(0, 255)))
    unusual = Polarity(dark=True, told=False)
    assert not unusual.is_dark(np.asarray(doodle(0, 255)))
    assert unusual.is_dark(photograph(120, 40))


@pytest.mark.parametrize(("right", "down"), [(-70, -50), (60, 50), (-90, 30), (20, -80)])
def test_a_photograph_that_comes_alone_is_what_its_border_says(right, down):
    """A shadow as strong as the ink over half of the page, and a marker's broad lines."""
    for corner in range(10, 110, 20):
        lines = Image.new("L", (280, 280))
        points = [(x + corner, y + corner) for x, y in HOUSE_AS_POINTS]
        ImageDraw.Draw(lines).line(points, fill=255, width=14, joint="curve")
        y, x = np.mgrid[-0.5:0.5:280j, -0.5:0.5:280j]
        paper = 140 + right * x + down * y
        photo = np.uint8(paper * (1 - 0.7 * (np.asarray(lines) / 255)))
        assert ALONE.is_dark(photo)
        assert not ALONE.is_dark(255 - photo)
        assert above_paper(photo)[np.asarray(lines) == 0].min() > -16


def test_a_small_picture_that_comes_alone_and_is_not_clear_is_light_on_dark():
    frame = np.zeros((28, 28), np.uint8)
    frame[[0, 1, -2, -1]] = frame[:, [0, 1, -2, -1]] = 255
    assert not ALONE.is_dark(frame)
    assert ALONE.is_dark(255 - image_of(HOUSE))


@pytest.mark.parametrize("dark", [True, False])
def test_what_is_told_is_not_looked_at(dark):
    for image in (doodle(0, 255), doodle(255, 0)):
        assert Polarity(dark, told=True).is_dark(np.asarray(image)) is dark


def real_drawings():
    if not DATA.exists():
        pytest.skip(f"needs real drawings, which are not part of the repository: {DATA}")
    for path in sorted((DATA / "simplified").glob("*.ndjson")):
        for line in path.read_text().splitlines()[:3]:
            yield json.loads(line)["drawing"]


@pytest.mark.parametrize("margin", [True, False])
def test_no_real_drawing_is_turned_the_wrong_way(margin):
    """Cropped ones too, of frames and walls among them: right or unclear."""
    seen = []
    for strokes in real_drawings():
        image = image_of(strokes, 64) if margin else cropped(image_of(strokes, 64))
        seen += [judge(image), judge(255 - image)]
    assert not any(dark for dark, sure in seen[::2] if sure)
    assert all(dark for dark, sure in seen[1::2] if sure)
    assert np.mean([sure for _, sure in seen]) > (0.9 if margin else 0.2)
