"""The source distribution that a job runs: this checkout, with the student's edits and modules."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

from quickdraw import gcs
from quickdraw.errors import QuickdrawError

_PARTS = ("setup.py", "pyproject.toml", "MANIFEST.in", "README.en.md", "LICENSE", "quickdraw")
_BUILD = "import sys; from setuptools import build_meta; build_meta.build_sdist(sys.argv[1])"
_IGNORED = shutil.ignore_patterns("__pycache__", "*.pyc", ".*")


def checkout() -> Path:
    """The folder of the repository: the current one or above, or where this package lies.

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


def build(folder: Path, classes: list[str]) -> Path:
    """Builds the sdist of this checkout.

    Args:
        folder: an empty one for intermediate files and the sdist.
        classes: names of the model's and the loss' class; where one is dotted (my_models.MyModel)
            its module comes along.

    Returns:
        `folder/<hash of the content>/quickdraw-<version>.tar.gz`.

    Raises:
        QuickdrawError: no checkout, no such module, or setuptools fails.
    """
    source = folder / "source"
    source.mkdir()
    modules = {name.partition(".")[0] for name in classes if "." in name} - {"quickdraw"}
    for path in [*(checkout() / part for part in _PARTS), *map(_module, sorted(modules))]:
        if path.is_dir():
            shutil.copytree(path, source / path.name, ignore=_IGNORED)
        elif path.is_file():
            shutil.copy2(path, source)
    target = folder / _hash(source)
    target.mkdir()
    result = subprocess.run(
        [sys.executable, "-c", _BUILD, str(target)], cwd=source, capture_output=True, text=True
    )
    if result.returncode:
        last = (result.stderr.strip().splitlines() or ["?"])[-1]
        raise QuickdrawError(f"the package cannot be built: {last}")
    (made,) = target.iterdir()
    return made


def _module(name: str) -> Path:
    """The file or folder of a student's module."""
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


def upload(sdist: Path, bucket: str) -> str:
    """Uploads an sdist, unless the same content is there already; returns its gs:// path."""
    path = f"gs://{bucket}/packages/{sdist.parent.name}/{sdist.name}"
    if not gcs.is_object(path):
        gcs.write(path, str(sdist))
    return path
