"""Write the notebooks, without outputs, from their texts: notebooks/NAME.py makes NAME.ipynb.

    python scripts/make_notebooks.py
    python scripts/make_notebooks.py --check

The texts are in jupytext's percent format, which can be read, reviewed and linted as code;
notebooks/ko holds their Korean twins, with the same code. --check writes nothing, and exits with 1
when a notebook is out of date.
"""

from __future__ import annotations

import sys
from pathlib import Path

import jupytext
import nbformat

FOLDER = Path(__file__).resolve().parents[1] / "notebooks"


def texts() -> list[Path]:
    """Return the texts of all notebooks."""
    return sorted(FOLDER.rglob("[0-9]_*.py"))


def notebook(text: Path) -> str:
    """Return the notebook that a text makes, as it stands in its file."""
    made = jupytext.read(text)
    made.metadata = {"kernelspec": made.metadata["kernelspec"], "colab": {"provenance": []}}
    for number, cell in enumerate(made.cells):
        cell.id = f"cell-{number}"  # jupytext draws one at random
    return nbformat.writes(made) + "\n"


def main() -> int:
    """Write or check; return the exit code."""
    stale = []
    for text in texts():
        path = text.with_suffix(".ipynb")
        new = notebook(text)
        if not path.exists() or path.read_text(encoding="utf-8") != new:
            stale.append(path)
    check = "--check" in sys.argv
    for path in stale:
        if not check:
            path.write_text(notebook(path.with_suffix(".py")), encoding="utf-8")
        print(f"{path.relative_to(FOLDER.parent)}: {'out of date' if check else 'written'}")
    return 1 if stale and check else 0


if __name__ == "__main__":
    sys.exit(main())
