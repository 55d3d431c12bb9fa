"""What all files of drawings share: pixels of 0 and 1 are no faint drawing."""

import numpy as np
import pytest
from PIL import Image

from quickdraw.datasets.sources import open_source

INK = np.zeros((28, 28), np.uint8)
INK[5:20, 5] = INK[19, 5:20] = 1


def images(path, tmp_path, polarity=None):
    found = []
    for file in open_source(str(path), str(tmp_path), polarity=polarity).files:
        for position, data in file.scan(*file.pieces(1 << 20)[0]):
            drawing = file.drawing(position, data)
            found.append((drawing.image, drawing.adjusted))
    return found


@pytest.mark.parametrize("is_dark", [False, True])
@pytest.mark.parametrize("polarity", [None, "told"])
@pytest.mark.parametrize("form", ["npy", "png", "csv"])
def test_pixels_of_0_and_1(tmp_path, is_dark, polarity, form):
    stored = 1 - INK if is_dark else INK
    folder = tmp_path / "in"
    (folder / "cat").mkdir(parents=True)
    if form == "npy":
        np.save(folder / "cat.npy", stored[None])
        (folder / "cat").rmdir()
    elif form == "png":
        Image.fromarray(stored).save(folder / "cat" / "1.png")
    else:
        (folder / "cat").rmdir()
        names = ",".join(f"pixel{number}" for number in range(784))
        row = ",".join(map(str, stored.ravel()))
        (folder / "train.csv").write_text(f"label,{names}\ncat,{row}\n")
    told = ("dark_on_light" if is_dark else "light_on_dark") if polarity else None
    ((image, adjusted),) = images(folder, tmp_path, told)
    np.testing.assert_array_equal(image, 255 * INK)
    assert any("0 and 1" in each for each in adjusted)


def test_a_faint_stroke_beside_ink_stays_what_it_is(tmp_path):
    image = 255 * INK
    image[4, 5] = 1  # before any other
    np.save(tmp_path / "cat.npy", image[None])
    ((found, adjusted),) = images(tmp_path, tmp_path)
    np.testing.assert_array_equal(found, image)
    assert not adjusted
