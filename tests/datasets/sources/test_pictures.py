"""Folders of pictures: any size, any polarity, and pictures that are not what they seem."""

import os

import numpy as np
import pytest
from picturing import doodle, on_glass, saved, turned
from reading import parsed

from quickdraw.datasets.sources import open_source
from quickdraw.drawings import greyscale
from quickdraw.errors import QuickdrawError


def folder(path, pictures):
    for name, image in pictures.items():
        (path / name).parent.mkdir(exist_ok=True)
        (path / name).write_bytes(image if isinstance(image, bytes) else saved(image))
    return path


def opened(path, **options):
    return open_source(str(path), "", **options).files


def image_of(file, number=0):
    with file.opened() as read:
        return file.parse(number, read(number, 1 << 20)).image


@pytest.mark.parametrize("paper", [0, 255])
def test_polarity_is_seen_and_said(tmp_path, capsys, paper):
    drawn = doodle(paper, 255 - paper)
    folder(tmp_path, {"cat/1.png": drawn, "cat/2.jpg": saved(drawn, "JPEG"), "dog/1.PNG": drawn})
    cat, dog = opened(tmp_path)
    assert (cat.category, len(cat.names), dog.category) == ("cat", 2, "dog")
    for image in (image_of(cat), image_of(cat, 1), image_of(dog)):
        assert image.shape == (40, 40)
        assert image[0, 0] < 5 and image.max() > 240
    assert ("dark on light" if paper else "light on dark") in capsys.readouterr().err


def test_polarity_is_told(tmp_path, capsys):
    folder(tmp_path, {"cat/1.png": doodle()})
    (cat,) = opened(tmp_path, polarity="light_on_dark")
    assert image_of(cat)[0, 0] == 255
    assert capsys.readouterr().err == ""


def test_pictures_of_both_polarities_are_each_taken_as_they_are(tmp_path, capsys):
    drawn = [doodle() for _ in range(11)] + [doodle(0, 255)]
    folder(tmp_path, {f"cat/{number:02}.png": image for number, image in enumerate(drawn)})
    (cat,) = opened(tmp_path)
    drawings = parsed(cat)
    for drawing in drawings:
        np.testing.assert_array_equal(drawing.image, np.asarray(doodle(0, 255)))
    assert [bool(drawing.adjusted) for drawing in drawings] == 11 * [True] + [False]
    assert "of 12 images looked at, 11 are dark on light and 1 light on dark" in (
        capsys.readouterr().err
    )


def test_an_unclear_picture_is_taken_as_the_others_of_its_folder(tmp_path):
    frame = np.zeros((28, 28), np.uint8)
    frame[[0, 1, -2, -1]] = frame[:, [0, 1, -2, -1]] = 255
    for name, paper in (("chalk", 0), ("ink", 255)):
        pictures = {f"{name}/{number}.png": doodle(paper, 255 - paper) for number in range(6)}
        filled = greyscale.Image.fromarray(frame if name == "chalk" else 255 - frame)
        folder(tmp_path, pictures | {f"{name}/frame.png": filled})
    for file in opened(tmp_path):
        np.testing.assert_array_equal(image_of(file, 6), frame)


def test_kinds_of_pictures(tmp_path, capsys):
    pictures = {"cat/1.png": doodle(), "cat/2.heic": b"\0\0\0\x18ftypheic", "cat/3.svg": b"<svg/>"}
    for kind in ("webp", "bmp", "gif", "tiff", "ppm"):
        pictures[f"dog/{kind}.{kind}"] = saved(doodle(), kind)
    source = open_source(str(folder(tmp_path, pictures)), "")
    cat, dog = source.files
    assert len(parsed(cat)) == 1
    assert [drawing.image.max() for drawing in parsed(dog)] == [255] * 5
    assert source.unread == {"cat/2.heic": 1, "cat/3.svg": 1}
    assert "not read: cat/2.heic, cat/3.svg" in capsys.readouterr().err


def test_a_photograph_is_turned_and_counted(tmp_path):
    stored = doodle(size=(40, 60)).transpose(greyscale.Image.Transpose.ROTATE_90)
    data = saved(stored, "PNG", exif=turned(6))
    (cat,) = opened(folder(tmp_path, {"cat/1.png": data, "cat/2.png": doodle(size=(40, 60))}))
    first, second = parsed(cat)
    np.testing.assert_array_equal(first.image, second.image)
    assert first.adjusted == (greyscale.UPRIGHT, greyscale.INVERTED)


def test_chalk_and_ink_on_transparent_paper(tmp_path):
    chalk, ink = on_glass((255, 255, 255, 255)), on_glass((0, 0, 0, 255))
    (cat,) = opened(folder(tmp_path, {"cat/1.png": chalk, "cat/2.png": ink}))
    first, second = parsed(cat)
    np.testing.assert_array_equal(first.image, np.asarray(doodle(0, 255)))
    np.testing.assert_array_equal(second.image, first.image)


def test_what_is_no_file_is_named_and_not_waited_for(tmp_path):
    folder(tmp_path, {"cat/1.png": doodle(), "cat/broken.png": b"GIF"})
    os.mkfifo(tmp_path / "cat" / "pipe.png")
    (tmp_path / "cat" / "link.webp").symlink_to("nowhere.webp")
    (tmp_path / "cat" / "folder.png").mkdir()
    source = open_source(str(tmp_path), "")
    drawing, other = parsed(source.files[0])
    assert (drawing.image.max(), other) == (255, "not a picture that can be read")
    assert source.unread == {"cat/folder.png/": 0, "cat/link.webp": 1, "cat/pipe.png": 1}


def test_folders_of_pictures_that_none_of_us_can_read(tmp_path):
    heic = b"\0\0\0\x18ftypheic"
    folder(tmp_path, {"cat/1.heic": heic, "cat/2.heic": heic, "dog/1.heic": heic})
    with pytest.raises(QuickdrawError, match=r"not read: cat/\*.heic \(2 files\), dog/1.heic"):
        opened(tmp_path)


def test_no_folders(tmp_path):
    folder(tmp_path, {"cat/1.txt": b"text"})
    with pytest.raises(QuickdrawError, match=r"folders <category>/ of pictures"):
        opened(tmp_path, format="pictures")


def test_categories(tmp_path):
    folder(tmp_path, {"a b/1.png": doodle(), "c/1.png": doodle(), "empty/1.txt": b""})
    (chosen,) = opened(tmp_path, categories=["a_b"])
    assert chosen.category == "a b"
    with pytest.raises(QuickdrawError, match="Did you mean"):
        opened(tmp_path, categories=["a_c"])
