"""Arrays by name over a pipe between two processes: four bytes of length, then an .npz."""

from __future__ import annotations

import io
import struct
from collections.abc import Mapping
from typing import BinaryIO

import numpy as np

_LENGTH = struct.Struct("<I")


def send(file: BinaryIO, arrays: Mapping[str, np.ndarray]) -> None:
    """Write arrays of any shapes, and flush."""
    packed = io.BytesIO()
    np.savez(packed, **arrays)  # type: ignore[arg-type]
    file.write(_LENGTH.pack(packed.tell()) + packed.getvalue())
    file.flush()


def receive(file: BinaryIO) -> dict[str, np.ndarray] | None:
    """Return the arrays, shapes and dtypes as they were; None where the other end has gone."""
    head = file.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        return None
    with np.load(io.BytesIO(file.read(*_LENGTH.unpack(head))), allow_pickle=False) as found:
        return dict(found)
