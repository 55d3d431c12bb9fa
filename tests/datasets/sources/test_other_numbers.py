"""Images in other numbers than uint8: read where that is clear, refused with their range."""

import numpy as np
import pytest
from reading import drawings_of, noise

from quickdraw.datasets.sources import other_numbers
from quickdraw.errors import QuickdrawError

IMAGES = noise(6, 28)
IMAGES[0, 0, :2] = 0, 255


@pytest.mark.parametrize(
    "saved",
    [
        IMAGES.astype(np.int16),
        IMAGES.astype(">i8"),
        IMAGES.astype(np.uint32),
        IMAGES.astype(np.float64),
        (IMAGES / 255).astype(np.float32),
        (IMAGES / 255).astype(">f8"),
        (IMAGES / 255).astype(np.float16),
        np.asfortranarray(IMAGES),
        np.asfortranarray(IMAGES / 255),
        IMAGES[:, None] / 255,
        IMAGES[..., None].astype(np.int64),
        IMAGES.reshape(6, 784).astype(np.int32),
        np.asfortranarray(IMAGES.reshape(6, 784)),
    ],
)
def test_the_same_images(tmp_path, tmp_path_factory, monkeypatch, saved):
    monkeypatch.setattr(other_numbers, "_VALUES", 4 * 784)
    np.save(tmp_path / "cat.npy", saved)
    drawings = drawings_of(tmp_path, tmp_path_factory.mktemp("scratch"))
    np.testing.assert_array_equal([drawing.image for drawing in drawings], IMAGES)
    assert {drawing.word for drawing in drawings} == {"cat"}


def test_one_image_in_fortran_order_is_not_transposed(tmp_path, tmp_path_factory):
    np.save(tmp_path / "cat.npy", np.asfortranarray(IMAGES[:1]))
    (drawing,) = drawings_of(tmp_path, tmp_path_factory.mktemp("scratch"))
    np.testing.assert_array_equal(drawing.image, IMAGES[0])


@pytest.mark.parametrize("kind", [bool, np.int64, np.float32])
def test_black_and_white(tmp_path, tmp_path_factory, kind):
    np.save(tmp_path / "cat.npy", (IMAGES > 99).astype(kind))
    drawings = drawings_of(tmp_path, tmp_path_factory.mktemp("scratch"))
    np.testing.assert_array_equal([each.image for each in drawings], 255 * (IMAGES > 99))


@pytest.mark.parametrize(
    ("saved", "received"),
    [
        (IMAGES / 127.5 - 1, "fractions of -1 to 1"),
        (IMAGES.astype(int) - 1, "-1 to 254"),
        (IMAGES.astype(np.uint16) * 257, "0 to 65535"),
        (IMAGES / 2, "fractions of 0 to 127.5"),
        (np.where(IMAGES > 9, np.nan, 0), "fractions of nan to nan"),
        (np.where(IMAGES > 9, np.inf, 0), "0 to inf"),
    ],
)
def test_numbers_that_may_mean_anything(tmp_path, tmp_path_factory, saved, received):
    np.save(tmp_path / "cat.npy", saved)
    with pytest.raises(QuickdrawError, match=f"cat.npy: pixels .* Received: {received}$"):
        drawings_of(tmp_path, tmp_path_factory.mktemp("scratch"))


def test_shapes_of_other_numbers_are_checked_under_the_name_that_the_user_knows(
    tmp_path, tmp_path_factory
):
    np.save(tmp_path / "cat.npy", np.zeros((4, 28, 27)))
    with pytest.raises(QuickdrawError, match=r"/cat.npy: images .* float64 \[4, 28, 27\]"):
        drawings_of(tmp_path, tmp_path_factory.mktemp("scratch"))
