"""Files that are handed in: those that are right, and what the others are told."""

from __future__ import annotations

import subprocess
import sys
import time

import numpy as np
import onnx_files
import pytest
from onnx_files import LABELS, described, onnx_file

from quickdraw.errors import QuickdrawError
from quickdraw.sandbox import cage, checking
from quickdraw.sandbox.cage import Cage, CageError, CageLimits

LIMITS = CageLimits(memory=256 << 20, cpu_seconds=10, start_seconds=60)
IMAGE = np.zeros((2, 28, 28, 1), np.uint8)


def test_a_file_that_is_right_takes_part():
    found = checking.check(onnx_file())
    assert found.description.labels == LABELS
    assert found.description.image_size == 28
    assert 0 < found.milliseconds < 1000
    assert len(found.sha256) == 64


def test_a_file_of_another_tool_that_names_its_labels_takes_part():
    found = checking.check(onnx_file(metadata={"labels": "cat\ndog\nsun"}))
    assert found.description.labels == LABELS
    assert found.description.rendering.style == "quickdraw"


SPOILT = {
    "no description": ({"metadata": {}}, "names no classes"),
    "no json": ({"metadata": {"quickdraw": "{"}}, "no description"),
    "a deep json": ({"metadata": {"quickdraw": "[" * 100_000}}, "no description"),
    "a label of nothing": ({"metadata": described(["a", "\u3164", "b"])}, "names expected"),
    "a label of spaces": ({"metadata": described(["a", " ", "b"])}, "names expected"),
    "a later version": ({"metadata": described(LABELS, format=99)}, "later version"),
    "other labels": ({"metadata": described(["a", "b"])}, r"probabilities: .* \[batch, 2\]"),
    "a label twice": ({"metadata": described(["a", "a", "b"])}, "twice"),
    "a label of signs": ({"metadata": described(["a", "\u202e", "b"])}, "printable"),
    "labels that are numbers": ({"metadata": described([1, 2, 3])}, "names expected"),
    "another size": ({"metadata": described(LABELS, image_size=32)}, "image: .* 32, 32"),
    "a huge size": ({"metadata": described(LABELS, image_size=10**9)}, "8…256"),
    "no size": ({"metadata": described(LABELS, image_size=None)}, "8…256"),
    "other inputs": ({"metadata": described(LABELS, inputs={"ink": {}})}, "inputs"),
    "inputs of another kind": ({"metadata": described(LABELS, inputs=7)}, "damaged"),
    "a pen of 1000": (
        {"metadata": described(LABELS, rendering={"style": "quickdraw", "line_width": 1e3})},
        "pen",
    ),
    "logits": ({"change": onnx_files.without_softmax}, "softmax"),
    "nan": ({"change": onnx_files.not_a_number}, "NaN"),
    "an operation of one's own": ({"change": onnx_files.of_its_own}, "operation evil.*refused"),
    "another file": ({"change": onnx_files.from_another_file}, "does not take it"),
    "a fixed batch": ({"change": onnx_files.fixed_batch}, "image: .*batch"),
}


@pytest.mark.parametrize("name", SPOILT)
def test_a_file_that_is_not_right_is_told_why_in_a_line(name):
    options, message = SPOILT[name]
    with pytest.raises(QuickdrawError, match=message) as caught:
        checking.check(onnx_file(**options), LIMITS)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04", b"\x08\x08" * 999, bytes(100)])
def test_what_is_no_onnx_is_refused(data):
    with pytest.raises(QuickdrawError):
        checking.check(data, LIMITS)


def test_a_large_file_is_not_even_looked_at():
    with pytest.raises(QuickdrawError, match="at most 32 MB"):
        checking.check(bytes(checking.MOST_BYTES + 1))


@pytest.mark.skipif(sys.platform != "linux", reason="older than limits of processes: this system")
def test_one_that_takes_too_much_memory_fails_alone():
    with pytest.raises(QuickdrawError, match=r"it fails|has ended|does not take it"):
        checking.check(onnx_file(change=onnx_files.greedy), LIMITS)


def test_one_that_hangs_is_ended(monkeypatch):
    monkeypatch.setattr(checking, "_PATIENCE", 0.5)
    begun = time.monotonic()
    with pytest.raises(QuickdrawError, match="in time"):
        checking.check(onnx_file(change=onnx_files.hanging), LIMITS)
    assert time.monotonic() - begun < 60


@pytest.mark.skipif(sys.platform != "linux", reason="older than limits of processes: this system")
def test_one_that_computes_too_long_in_all_is_ended_by_the_system():
    box = Cage(onnx_file(change=onnx_files.hanging), CageLimits(cpu_seconds=2))
    try:
        with pytest.raises(CageError, match="signal"):
            box.ask({"image": IMAGE}, 3, 60)
        assert not box.alive
    finally:
        box.close()


def test_an_answer_is_that_of_onnxruntime():
    import onnxruntime

    data = onnx_file(seed=3)
    images = np.random.default_rng(1).integers(0, 256, (5, 28, 28, 1), np.uint8)
    box = Cage(data)
    try:
        found = box.ask({"image": images}, 3, 10)
    finally:
        box.close()
    assert not box.alive
    session = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])
    np.testing.assert_allclose(found, session.run(None, {"image": images})[0], atol=1e-6)


ESCAPES = {
    "open('/etc/hostname').read()",
    "open('made', 'w')",
    "__import__('os').open('/tmp', 0)",
    "__import__('socket').socket()",
    "__import__('os').fork()",
    "__import__('subprocess').run(['true'])",
    "__import__('os').kill(1, 0)",
    "__import__('os').kill(__import__('os').getppid(), 9)",
    "__import__('os').remove('/nonexistent')",
    "__import__('os').listdir('.')",
    "__import__('threading').Thread(target=print).start()",
}


@pytest.mark.parametrize("escape", sorted(ESCAPES))
def test_the_process_can_do_nothing_but_compute(escape, tmp_path):
    """Even if a file made onnxruntime run its author's code."""
    code = f"""
import runpy, sys, subprocess, threading, socket
caged = runpy.run_path({str(cage._SCRIPT)!r})
if not caged["_filtered"]():
    sys.exit(3)
try:
    {escape}
except (OSError, RuntimeError) as error:
    sys.exit(7 if getattr(error, "errno", 1) == 1 else 8)
sys.exit(0)
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=False)
    if done.returncode == 3:
        pytest.skip("this system has no filter of system calls")
    assert done.returncode == 7
    assert list(tmp_path.iterdir()) == []


def test_limits_that_cannot_be_held_are_named(monkeypatch):
    box = Cage(onnx_file())
    box.close()
    if sys.platform == "linux":
        assert "limited memory" not in box.missing
    assert set(box.missing) <= set(cage._WALLS.values())
