"""Which way round images are, in every format: told, seen, or one among others."""

import json
import struct

import numpy as np
import pytest
from picturing import doodle, saved
from PIL import Image
from reading import parsed

from quickdraw.datasets.prepare import main
from quickdraw.datasets.sources import open_source
from quickdraw.drawings.greyscale import INVERTED
from quickdraw.errors import QuickdrawError
from quickdraw.records import tfrecord
from quickdraw.records.example import serialise

LIGHT = np.stack([np.roll(np.asarray(doodle(0, 255)), n, axis=1) for n in (-4, -2, 0, 2, 4, 6)])


def idx(array):
    return struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape) + array.tobytes()


def bitmaps(folder, images):
    np.save(folder / "cat.npy", images)


def idx_files(folder, images):
    (folder / "train-images-idx3-ubyte").write_bytes(idx(images))
    (folder / "train-labels-idx1-ubyte").write_bytes(idx(np.zeros(len(images), np.uint8)))


def npz(folder, images):
    np.savez(folder / "set.npz", x_train=images, y_train=np.zeros(len(images), np.uint8))


def records(folder, images):
    examples = [serialise(image=saved(Image.fromarray(image)), label=0) for image in images]
    (folder / "train.tfrecords").write_bytes(b"".join(map(tfrecord.frame, examples)))


def pictures(folder, images):
    (folder / "cat").mkdir(exist_ok=True)
    for number, image in enumerate(images):
        (folder / "cat" / f"{number:02}.png").write_bytes(saved(Image.fromarray(image)))


@pytest.fixture(
    params=[bitmaps, idx_files, npz, records, pictures], ids=lambda write: write.__name__
)
def written(request, tmp_path):
    """Writes images in a format, opens them, and returns their drawings."""
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    folder = tmp_path / "source"
    folder.mkdir()

    def write(images, **options):
        request.param(folder, images)
        files = open_source(str(folder), str(scratch), **options).files
        return [drawing for file in files for drawing in parsed(file)]

    return write


def images_of(drawings):
    return np.stack([drawing.image for drawing in drawings])


@pytest.mark.parametrize("dark", [False, True])
def test_most_images_are_seen(written, dark):
    drawings = written(255 - LIGHT if dark else LIGHT)
    np.testing.assert_array_equal(images_of(drawings), LIGHT)
    assert {drawing.adjusted for drawing in drawings} == {(INVERTED,) if dark else ()}


@pytest.mark.parametrize("dark", [False, True])
def test_one_of_them_is_the_other_way_round(written, dark, capsys):
    images = 255 - LIGHT if dark else LIGHT.copy()
    images[3] = 255 - images[3]
    np.testing.assert_array_equal(images_of(written(images)), LIGHT)
    count = 5 if dark else 1
    assert f"of 6 images looked at, {count} are dark on light" in capsys.readouterr().err


@pytest.mark.parametrize("polarity", ["dark_on_light", "light_on_dark"])
def test_what_is_told_is_obeyed(written, polarity, capsys):
    expected = 255 - LIGHT if polarity == "dark_on_light" else LIGHT
    np.testing.assert_array_equal(images_of(written(LIGHT, polarity=polarity)), expected)
    assert capsys.readouterr().err == ""


def test_images_that_show_nothing_are_left_as_they_are(tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, (50, 28, 28), np.uint8)
    bitmaps(tmp_path, noise)
    (file,) = open_source(str(tmp_path), "").files
    np.testing.assert_array_equal(images_of(parsed(file)), noise)


def test_strokes_have_no_polarity(tmp_path):
    (tmp_path / "cat.ndjson").write_text('{"word": "cat", "drawing": [[[0, 9], [0, 9]]]}')
    with pytest.raises(QuickdrawError, match="--polarity is for images. Received: ndjson strokes"):
        open_source(str(tmp_path), "", polarity="dark_on_light")


def test_what_was_done_is_counted_and_kept(tmp_path, capsys):
    source, made = tmp_path / "source", tmp_path / "made"
    source.mkdir()
    bitmaps(source, np.concatenate((LIGHT, 255 - LIGHT[:2, ::-1])))
    assert main(["prepare", f"--source={source}", f"--output_dir={made}"]) == 0
    assert json.loads((made / "dataset.json").read_text())["adjusted"] == {INVERTED: 2}
    assert f"adjusted: 2 ({INVERTED})" in capsys.readouterr().out


@pytest.mark.parametrize("told", [None, "light_on_dark"])
def test_images_of_four_bits_are_refused(tmp_path, told):
    images = np.zeros((5, 28, 28), np.uint8)
    images[:, 9:12, 3:20] = 16
    np.save(tmp_path / "cat.npy", images)
    with pytest.raises(QuickdrawError, match=r"cat.npy: .* none above 16 in 5 images; multiply"):
        open_source(str(tmp_path), "", polarity=told)
