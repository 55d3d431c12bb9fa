"""Strokes in other units than Quick, Draw!'s, and pens that do not suit, are said."""

from __future__ import annotations

import json

import pytest

from quickdraw.datasets import prepare


def write(path, strokes):
    """Write twenty drawings of two classes, which differ in their last stroke."""
    lines = [
        json.dumps({"word": word, "drawing": [*strokes, [[number, 9], [5, 9]]]})
        for word in ("cat", "dog")
        for number in range(20)
    ]
    path.write_text("\n".join(lines))


@pytest.mark.parametrize(
    ("side", "raw", "is_said"), [(96, "", True), (96, "raw", False), (255, "", False)]
)
def test_strokes_of_a_smaller_canvas_are_said(tmp_path, capsys, side, raw, is_said):
    strokes = [[[0, side, side // 2], [0, side // 3, side]], [[1, 2, 3], [9, 5, 1]]]
    write(tmp_path / "x.ndjson", strokes)
    flags = [f"--source={tmp_path}/x.ndjson", f"--output_dir={tmp_path}/out"]
    flags += [f"--format={raw}"] if raw else []
    assert prepare.main(["prepare", *flags]) == 0
    assert ("these drawings fill 96 units at most" in capsys.readouterr().err) == is_said


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        (
            ["--line_width=2"],
            "lines will be 0.19 of 28 pixels thick: --line_width=2 is in units of",
        ),
        (["--line_width=200"], "lines will be 11 of 28 pixels thick"),
        (["--image_size=8"], "lines will be 0.42 of 8 pixels thick: --line_width=16 is in units"),
        (["--line_width=8"], ""),
        (["--image_size=64", "--line_width=4"], ""),
    ],
)
def test_a_pen_that_was_meant_in_pixels_is_said(tmp_path, capsys, flags, told):
    strokes = [[[0, 255, 9], [0, 99, 255]]]
    write(tmp_path / "x.ndjson", strokes)
    paths = [f"--source={tmp_path}/x.ndjson", f"--output_dir={tmp_path}/out"]
    assert prepare.main(["prepare", *paths, *flags]) == 0
    error = capsys.readouterr().err
    assert told in error
    assert ("pixels thick" in error) == bool(told)
