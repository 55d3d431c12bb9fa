"""Named arrays over a pipe between processes: a length of four bytes, then an .npz."""

from __future__ import annotations

import io
import struct
from collections.abc import Mapping
from typing import BinaryIO

import numpy as np

_LENGTH = struct.Struct("<I")


def send(file: BinaryIO, arrays: Mapping[str, np.ndarray]) -> None:
    """Send arrays of any shape and dtype, and flush."""
    packed = io.BytesIO()
    np.savez(packed, **arrays)  # type: ignore[arg-type]
    file.write(_LENGTH.pack(packed.tell()) + packed.getvalue())
    file.flush()


def receive(file: BinaryIO) -> dict[str, np.ndarray] | None:
    """Receive arrays, with their shapes and dtypes; None if the other end was closed."""
    head = file.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        return None
    with np.load(io.BytesIO(file.read(*_LENGTH.unpack(head))), allow_pickle=False) as found:
        return dict(found)
