"""Git LFS: what a repository holds of a large file until `git lfs pull` fetches it."""

from __future__ import annotations

import re

from quickdraw.errors import QuickdrawError

_POINTER = re.compile(rb"version https://[^\n]{1,80}/spec/v\d\r?\n(?s:.){0,200}?oid sha256:")
WHAT = "a pointer of Git LFS, not the file itself: git lfs pull, in its folder, fetches that"


def is_pointer(start: bytes) -> bool:
    """Return whether a file that begins so is a pointer.

    Source: github.com/git-lfs/git-lfs, docs/spec.md.
    """
    return bool(_POINTER.match(start))


def refuse_pointer(path: str, start: bytes) -> None:
    """Raise QuickdrawError if a file that begins so is a pointer."""
    if is_pointer(start):
        raise QuickdrawError(f"{path}: {WHAT}")
