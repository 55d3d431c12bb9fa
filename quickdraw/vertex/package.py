"""The source distribution that a job runs: this checkout, with the student's edits and modules."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from quickdraw.errors import QuickdrawError
from quickdraw.storage import objects

_PARTS = ("setup.py", "pyproject.toml", "MANIFEST.in", "README.en.md", "LICENSE", "quickdraw")
_BUILD = "import sys; from setuptools import build_meta; build_meta.build_sdist(sys.argv[1])"
_IGNORED = shutil.ignore_patterns("__pycache__", "*.pyc", ".*")


def checkout() -> Path:
    """Return the repository's folder: the current one or a parent, or this package's.

    Raises:
        QuickdrawError: none of them holds setup.py and cloud/.
    """
    here = Path.cwd()
    for folder in (here, *here.parents, Path(__file__).resolve().parents[2]):
        if (folder / "setup.py").is_file() and (folder / "cloud").is_dir():
            return folder
    raise QuickdrawError(
        f"{here} lies in no checkout of the repository (setup.py and cloud/): jobs are submitted "
        "from one"
    )


def upload(bucket: str, classes: list[str]) -> str:
    """Build the sdist of this checkout and upload it, unless the same code is already there.

    Args:
        bucket: where to.
        classes: names of the classes of model, loss and optimizer; where one is dotted
            (my_models.MyModel) its module comes along.

    Returns:
        `gs://bucket/packages/<hash of the code>/quickdraw-<version>.tar.gz`.

    Raises:
        QuickdrawError: no checkout, no such module, or setuptools fails.
    """
    with tempfile.TemporaryDirectory() as folder:
        source = collect(Path(folder, "source"), classes)
        target = f"gs://{bucket}/packages/{_hash(source)}"
        names = objects.listdir(target)
        if not names:
            sdist = build(source, Path(folder))
            names = [sdist.name]
            objects.write(f"{target}/{sdist.name}", str(sdist))
    return f"{target}/{names[0]}"


def collect(source: Path, classes: list[str]) -> Path:
    """Copy what belongs in the sdist to a new folder; return it."""
    source.mkdir()
    modules = {name.partition(".")[0] for name in classes if "." in name} - {"quickdraw", "keras"}
    for path in [*(checkout() / part for part in _PARTS), *map(_module, sorted(modules))]:
        if path.is_dir():
            shutil.copytree(path, source / path.name, ignore=_IGNORED)
        elif path.is_file():
            shutil.copy2(path, source)
    return source


def build(source: Path, folder: Path) -> Path:
    """Build the sdist of what was collected into a folder; return its path."""
    result = subprocess.run(
        [sys.executable, "-c", _BUILD, str(folder)], cwd=source, capture_output=True, text=True
    )
    if result.returncode:
        last = (result.stderr.strip().splitlines() or ["?"])[-1]
        raise QuickdrawError(f"the package cannot be built: {last}")
    (made,) = folder.glob("*.tar.gz")
    return made


def _module(name: str) -> Path:
    """Return the file or folder of a student's module."""
    sys.path.insert(0, os.getcwd())
    try:
        found = importlib.util.find_spec(name)
    finally:
        sys.path.pop(0)
    if found is None or found.origin is None:
        raise QuickdrawError(f"no module {name!r} in {os.getcwd()} or installed")
    path = Path(found.origin)
    return path.parent if path.name == "__init__.py" else path


def _hash(folder: Path) -> str:
    digest = hashlib.blake2b(digest_size=8)
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            digest.update(f"{path.relative_to(folder)}\n".encode() + path.read_bytes())
    return digest.hexdigest()
