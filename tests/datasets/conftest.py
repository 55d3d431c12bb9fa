"""Fixtures of the tests of inspection."""

from __future__ import annotations

from pathlib import Path

import pytest
from inspecting import write_mixed


@pytest.fixture
def shards(tmp_path: Path) -> Path:
    """Two classes, a test set, and one of everything that can be wrong."""
    write_mixed(tmp_path)
    return tmp_path
