"""Strokes in other units than Quick, Draw!'s are said."""

from __future__ import annotations

import json

import pytest

from quickdraw.datasets import prepare


@pytest.mark.parametrize(
    ("side", "raw", "is_said"), [(96, "", True), (96, "raw", False), (255, "", False)]
)
def test_strokes_of_a_smaller_canvas_are_said(tmp_path, capsys, side, raw, is_said):
    strokes = [[[0, side, side // 2], [0, side // 3, side]], [[1, 2, 3], [9, 5, 1]]]
    lines = [
        json.dumps({"word": word, "drawing": [*strokes, [[number, 9], [5, 9]]]})
        for word in ("cat", "dog")
        for number in range(20)
    ]
    (tmp_path / "x.ndjson").write_text("\n".join(lines))
    flags = [f"--source={tmp_path}/x.ndjson", f"--output_dir={tmp_path}/out"]
    flags += [f"--format={raw}"] if raw else []
    assert prepare.main(["prepare", *flags]) == 0
    assert ("these drawings fill 96 units at most" in capsys.readouterr().err) == is_said
