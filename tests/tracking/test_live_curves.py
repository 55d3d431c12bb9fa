"""Curves in a notebook: where their points are, and what a notebook is given."""

import re
import types
import xml.etree.ElementTree

import pytest

from quickdraw import console
from quickdraw.tracking import live_curves
from quickdraw.tracking.live_curves import LiveCurves, chart
from quickdraw.tracking.tracker import Report


@pytest.fixture
def shown(monkeypatch):
    """What a notebook is given, one after the other."""
    pages = []
    monkeypatch.setattr(console.Screen, "show", lambda self, text, page: pages.append((text, page)))
    monkeypatch.setattr(live_curves, "_SECONDS", 0.0)
    return pages


def evaluation(**figures):
    return types.SimpleNamespace(result=lambda: figures)


def points(svg: str) -> list[list[tuple[float, ...]]]:
    lines = re.findall(r'<polyline points="([^"]*)"', svg)
    return [[tuple(map(float, pair.split(","))) for pair in line.split()] for line in lines]


def test_a_chart_has_later_points_on_the_right_and_higher_ones_above():
    svg = chart("top-1", [[(0.5, 0.2), (1, 0.4), (2, 0.9)], [(1, 0.3)]])
    xml.etree.ElementTree.fromstring(svg)
    training, validation = points(svg)
    assert [x for x, _ in training] == sorted(x for x, _ in training)
    assert [y for _, y in training] == sorted((y for _, y in training), reverse=True)
    assert len(validation) == 1
    assert ">90%<" in svg and ">20%<" in svg and ">epoch 2<" in svg
    assert chart("loss", [[], []]) == ""
    assert points(chart("loss", [[(1, 3.0)], []]))[0]  # one point has a place, too


def test_they_grow_and_say_how_it_ended(shown, tmp_path):
    curves = LiveCurves()
    curves.begin(None, str(tmp_path), 0)
    for step in (1, 2, 3):
        row = {"epoch": step / 2, "loss": 1 / step, "top1": step / 4, "learning_rate": 0.1}
        met = evaluation(loss=2 / step, top1=step / 5) if step == 2 else None
        curves.report(Report(step, row, met))
    curves.end("stopped")
    text, page = shown[-1]
    assert "step 3, stopped: run the cell again to go on from here" in text
    assert "validation loss 1.0000  validation top-1 40.00%" in text
    assert [len(line) for line in points(page)] == [3, 1, 3, 1]


def test_a_run_that_goes_on_keeps_its_curves(shown, tmp_path):
    rows = ["step,epoch,train_loss,eval_loss", "5,1,0.9,0.8", "10,2,0.7,0.6", "15,3,0.5,"]
    (tmp_path / "metrics.csv").write_text("\n".join(rows))
    curves = LiveCurves()
    curves.begin(None, str(tmp_path), 10)
    curves.end("finished")
    text, page = shown[-1]
    assert text.startswith("step 10, trained  validation loss 0.6000")
    assert [len(line) for line in points(page)] == [2, 2]
