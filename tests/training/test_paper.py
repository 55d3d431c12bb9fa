"""Records whose ink is dark on light paper."""

import numpy as np
import pytest
from picturing import doodle

from quickdraw.records.shards import BadRecords
from quickdraw.training.data.cache import Drawings
from quickdraw.training.paper import warn_of_dark_ink

DARK = np.asarray(doodle().resize((28, 28)).convert("L"))[None, :, :, None]


def drawings(images: np.ndarray, name: str = "image") -> Drawings:
    return Drawings({name: images}, np.zeros(len(images), np.int32), "", BadRecords("error"))


@pytest.mark.parametrize("dark", [0, 1, 40, 100])
def test_most_of_the_images_decide(capfd, dark):
    images = np.concatenate([np.repeat(DARK, dark, 0), np.repeat(255 - DARK, 100 - dark, 0)])
    images = np.random.default_rng(0).permutation(images)
    warn_of_dark_ink(drawings(images))
    assert ("the images are dark on light" in capfd.readouterr().err) == (dark == 100)


def test_what_is_no_grey_image_is_not_judged(capfd):
    warn_of_dark_ink(drawings(np.repeat(DARK, 3, 3)))
    warn_of_dark_ink(drawings(np.zeros((5, 3), np.float32), "ink"))
    warn_of_dark_ink(drawings(np.full((5, 28, 28, 1), 255, np.uint8)))
    assert capfd.readouterr().err == ""
