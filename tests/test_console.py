"""What stands on a terminal of some width, in a notebook, and in a log."""

from __future__ import annotations

import io
import os
import shlex
import subprocess
import sys
import types

import pytest

from quickdraw import console
from quickdraw.console import Progress, SparseLog

DETAILS = "step 12,345  loss 0.1234  top-1 90.12%"


class Terminal(io.StringIO):
    """What a terminal shows of what is written to it."""

    def isatty(self) -> bool:
        return True

    def fileno(self) -> int:
        return 2

    def lines(self) -> list[str]:
        """The lines as they are at the end."""
        lines, column = [""], 0
        for character in self.getvalue():
            if character == "\n":
                lines.append("")
                column = 0
            elif character == "\r":
                column = 0
            else:
                lines[-1] = f"{lines[-1][:column]}{character}{lines[-1][column + 1 :]}"
                column += 1
        return [line.rstrip() for line in lines]


@pytest.fixture
def clock(monkeypatch):
    """A clock that is set by hand."""
    now = [1000.0]
    monkeypatch.setattr(console.time, "monotonic", lambda: now[0])
    return now


@pytest.fixture
def terminal(monkeypatch, clock):
    """`terminal(80)` puts one of this width in the place of stderr, or gives it another width."""
    screen, columns = Terminal(), [0]
    monkeypatch.setattr(console, "_shown", 0)
    size = lambda number: os.terminal_size((columns[0], 24))  # noqa: E731
    monkeypatch.setattr(console.os, "get_terminal_size", size)

    def of_width(width: int) -> Terminal:
        columns[0] = width
        monkeypatch.setattr(sys, "stderr", screen)
        return screen

    return of_width


def shown(terminal, clock, width: int) -> str:
    screen = terminal(width)
    progress = Progress("training", 100_000, "images")
    clock[0] += 10
    progress.update(50_000, DETAILS)
    (line,) = screen.lines()
    return line


def test_with_room_for_all_everything_is_shown(terminal, clock):
    assert shown(terminal, clock, 200) == (
        f"training   50%  50,000/100,000 images  {DETAILS}  5,000 images/s  ETA 0:10"
    )


@pytest.mark.parametrize("width", [*range(2, 40), 79, 80, 81, 100, 120])
def test_the_bar_is_one_line_in_any_width(terminal, clock, width):
    line = shown(terminal, clock, width)
    assert 0 < len(line) < width
    assert "training   50%".startswith(line[:14])


def test_in_80_columns_loss_speed_and_end_are_shown(terminal, clock):
    line = shown(terminal, clock, 80)
    assert "loss 0.1234" in line and "top-1" in line and line.endswith("images/s  ETA 0:10")


def test_a_window_without_a_size_counts_as_80_columns(terminal, clock):
    assert 60 < len(shown(terminal, clock, 0)) < 80


def test_lines_stand_above_the_bar_and_nothing_is_left_of_it(terminal, clock):
    screen = terminal(80)
    progress = Progress("training", 100, "images")
    for width, done in ((80, 10), (40, 20), (100, 30)):
        terminal(width)
        clock[0] += 1
        progress.update(done, DETAILS)
        console.log(f"at {done}")
    clock[0] += 1
    progress.update(40)
    progress.close()
    console.log("done")
    assert screen.lines() == ["at 10", "at 20", "at 30", "done", ""]


@pytest.fixture
def notebook(monkeypatch):
    """What a notebook's display is given, one after the other."""
    shown = []
    handle = types.SimpleNamespace(update=lambda content, raw: shown.append(content))

    def display(content, raw, display_id):
        shown.append(content)
        return handle

    monkeypatch.setattr(console, "in_notebook", lambda: True)
    monkeypatch.setitem(sys.modules, "IPython.display", types.SimpleNamespace(display=display))
    return shown


def test_a_notebook_gets_a_bar_of_its_own_and_loses_it_at_the_end(capsys, notebook, clock):
    progress = Progress("training", 100, "images")
    for done in range(100):
        clock[0] += 0.5
        progress.update(done, "<b>")
    console.log("a line")
    progress.close()
    assert 40 <= len(notebook) <= 60
    assert '<progress value="99" max="100"' in notebook[-2]["text/html"]
    assert "&lt;b&gt;" in notebook[-2]["text/html"] and "ETA" in notebook[-2]["text/plain"]
    assert notebook[-1] == {"text/plain": "", "text/html": ""}
    assert capsys.readouterr() == ("a line\n", "")


@pytest.mark.parametrize(
    ("hours", "least", "most"), [(1 / 360, 0, 1), (1 / 60, 4, 6), (1, 60, 140), (48, 200, 500)]
)
def test_a_log_gets_a_line_now_and_then(capsys, clock, hours, least, most):
    progress = Progress("training", 10**9, "images")
    for second in range(int(hours * 3600)):
        clock[0] += 1
        progress.update(second)
    printed = capsys.readouterr().err
    assert "\r" not in printed
    assert least <= printed.count("\n") <= most


def test_of_thousands_of_evaluations_the_first_and_the_last_are_logged(capsys, clock):
    lines = SparseLog(1.0, first=20)
    for number in range(10_000):
        clock[0] += 0.02
        lines.log(f"evaluation {number}")
    lines.close()
    lines.close()
    printed = capsys.readouterr().err.splitlines()
    assert printed[:20] == [f"evaluation {number}" for number in range(20)]
    assert printed[-1] == "evaluation 9999"
    assert 50 < len(printed) < 150


def test_evaluations_that_take_their_time_are_all_logged(capsys, clock):
    lines = SparseLog(1.0, first=20)
    for number in range(1000):
        clock[0] += 60
        lines.log(f"evaluation {number}")
    assert capsys.readouterr().err.count("\n") == 1000


@pytest.mark.parametrize("reader", ["| head -c 1 >/dev/null", "2>/dev/full"])
@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is none on this system")
def test_work_goes_on_where_nobody_reads_its_lines(reader, tmp_path):
    """A training in `train 2>&1 | head`, or whose log's disk is full."""
    program = (
        "import pathlib, time\n"
        "from quickdraw.console import Progress, log\n"
        "for number in range(200):\n"
        "    log('x' * 1000)\n"
        "Progress('training', 1, 'images').close()\n"
        "pathlib.Path('done').touch()\n"
    )
    (tmp_path / "program.py").write_text(program)
    done = subprocess.run(
        f"{{ {shlex.quote(sys.executable)} program.py; echo $? >code; }} 2>&1 {reader}",
        shell=True,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert done.returncode == 0
    assert (tmp_path / "code").read_text() == "0\n"
    assert (tmp_path / "done").exists()
