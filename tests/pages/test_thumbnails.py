"""Drawings as pictures in a page."""

import base64
import io

import numpy as np
from inspecting import doodle
from PIL import Image

from quickdraw.pages import thumbnails


def test_a_sheet_is_strokes_on_nothing():
    images = [doodle(seed) for seed in range(5)]
    data = thumbnails.sheet(images, columns=3)
    picture = Image.open(io.BytesIO(base64.b64decode(data.split(",")[1]))).convert("RGBA")
    assert picture.size == (3 * 29 - 1, 2 * 29 - 1)
    pixels = np.asarray(picture)
    assert not pixels[..., :3].any()
    assert np.abs(pixels[29:57, 29:57, 3].astype(int) - images[4]).max() <= 8
