"""The notebooks: as their texts are, without outputs, the same code in both languages; they run."""

from __future__ import annotations

import importlib.util
import os
import re
import time
from pathlib import Path

import pytest

jupytext = pytest.importorskip("jupytext")
nbclient = pytest.importorskip("nbclient")
nbformat = pytest.importorskip("nbformat")
pytest.importorskip("ipykernel")

ROOT = Path(__file__).resolve().parents[2]
TEXTS = sorted((ROOT / "notebooks").glob("[0-9]_*.py"))
# Jupyter's own: of sockets that it closes late, and of what it will do otherwise some day.
pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture(autouse=True)
def _own_folder(monkeypatch, tmp_path):
    """Kernels take this package, and keep their files here."""
    package = Path(importlib.util.find_spec("quickdraw").origin).parents[1]
    paths = [str(package), os.environ.get("PYTHONPATH", "")]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, paths)))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    monkeypatch.setenv("JUPYTER_PLATFORM_DIRS", "1")


def make_notebooks():
    spec = importlib.util.spec_from_file_location("make", ROOT / "scripts/make_notebooks.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def code(path: Path) -> list[str]:
    return [cell.source for cell in jupytext.read(path).cells if cell.cell_type == "code"]


def test_all_are_there():
    assert [path.name[0] for path in TEXTS] == ["1", "2", "3"]


def test_each_is_as_its_text_and_has_no_outputs():
    module = make_notebooks()
    for text in module.texts():
        made = module.notebook(text)
        assert text.with_suffix(".ipynb").read_text(encoding="utf-8") == made, "make_notebooks.py"
        notebook = nbformat.reads(made, 4)
        nbformat.validate(notebook)
        cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
        assert not any(cell.outputs or cell.execution_count for cell in cells)


@pytest.mark.parametrize("text", TEXTS, ids=lambda path: path.stem)
def test_the_korean_twin_has_the_same_code_and_as_many_words(text):
    twin = text.parent / "ko" / text.name
    assert code(twin) == code(text)
    kinds = [[cell.cell_type for cell in jupytext.read(path).cells] for path in (text, twin)]
    assert kinds[0] == kinds[1]
    assert any("가" <= letter <= "힣" for letter in twin.read_text(encoding="utf-8"))


def run(text: Path, folder: Path, data: str | None = None):
    """Execute a notebook in a folder; return it with its outputs."""
    notebook = jupytext.read(text)
    for cell in notebook.cells:
        if data:
            cell.source = cell.source.replace('data = "data/sample"\n', f'data = "{data}"\n')
    nbclient.NotebookClient(
        notebook, timeout=240, kernel_name="python3", resources={"metadata": {"path": str(folder)}}
    ).execute()
    return notebook


def texts_of(notebook) -> str:
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    return "".join(output.get("text", "") for output in outputs)


def kinds_of(notebook) -> list[str]:
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    return [kind for output in outputs for kind in output.get("data", {})]


@pytest.mark.slow
@pytest.mark.parametrize("text", TEXTS, ids=lambda path: path.stem)
def test_it_runs_on_the_sample(text, tmp_path):
    notebook = run(text, tmp_path)
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    assert not [output for output in outputs if output.get("name") == "stderr"]
    assert {"image/png", "text/html"} & set(kinds_of(notebook))
    if text.name.startswith("2"):
        curves = [each.data["text/html"] for each in outputs if "<svg" in str(each.get("data", ""))]
        assert len(curves) == 1 and curves[0].count("<polyline") == 4
        assert re.search(r"step \d+, trained  validation loss", curves[0])
        assert "top1 " in texts_of(notebook)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("number", "flags", "said"),
    [
        (1, ["--per_category=200"], "nearest mean: top-1"),
        (3, ["--per_category=200", "--categories=cat,dog,bird"], ""),
    ],
)
def test_it_runs_on_real_drawings(number, flags, said, tmp_path, shared_data):
    from quickdraw.datasets import prepare

    source, target = (
        f"--source={shared_data}/quickdraw/numpy_bitmap",
        f"--output_dir={tmp_path}/real",
    )
    assert prepare.main(["prepare", source, target, *flags]) == 0
    notebook = run(TEXTS[number - 1], tmp_path, "real")
    assert said in texts_of(notebook)
    assert {"image/png", "text/html"} & set(kinds_of(notebook))


LONG = """
from quickdraw.training import Settings, fit
settings = Settings(
    train_data_pattern={train!r}, eval_data_pattern={valid!r}, train_dir="run", batch_size=20,
    num_epochs=60000.0, eval_every=2000.0, checkpoint_every_minutes=60.0
)
"""


@pytest.mark.slow
def test_training_can_be_interrupted_called_again_and_called_twice(tiny_data, tmp_path):
    """As a person does it: the square button while it trains, and the same cell once more."""
    from jupyter_client.manager import start_new_kernel

    manager, client = start_new_kernel(kernel_name="python3", cwd=str(tmp_path))
    try:
        setup = LONG.format(train=tiny_data.train, valid=tiny_data.valid)
        assert client.execute_interactive(setup, timeout=120)["content"]["status"] == "ok"
        for attempt in range(2):
            printed = []
            interrupt = interrupting(manager, printed)
            reply = client.execute_interactive(
                "trained = fit(settings)", timeout=120, output_hook=interrupt
            )["content"]
            assert (reply["status"], reply["ename"]) == ("error", "InterruptedWork")
            assert "which is saved: the same call goes on from there" in reply["evalue"]
            assert len(reply["traceback"]) == 1
            text = "".join(printed)
            assert ("going on from the checkpoint at step" in text) == (attempt == 1)
            assert "stopped: run the cell again to go on from here" in text
        short = "import dataclasses; short = dataclasses.replace(settings, num_epochs=2.0,"
        again = f"{short} train_dir='short'); trained = [fit(short), fit(short)]; print('done')"
        printed.clear()
        reply = client.execute_interactive(
            again, timeout=120, output_hook=lambda message: note(message, printed)
        )["content"]
        assert reply["status"] == "ok" and "done" in "".join(printed)
        wrong = client.execute_interactive("fit(Settings(train_dir='x'))", timeout=60)["content"]
        assert wrong["traceback"] == ["QuickdrawError: train_data_pattern must be given"]
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def note(message, printed):
    content = message["content"]
    printed.append(content.get("text", "") + content.get("data", {}).get("text/html", ""))


def interrupting(manager, printed):
    """Interrupts the kernel once the curves are there."""

    def hook(message):
        note(message, printed)
        if "<svg" in printed[-1] and "stopped" not in printed[-1] and not hook.done:
            hook.done = True
            time.sleep(0.3)
            manager.interrupt_kernel()

    hook.done = False
    return hook
