"""What tests of the server share: the command, started, and stopped at the end."""

from __future__ import annotations

import contextlib
import re
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest


@contextlib.contextmanager
def serving(*flags: str) -> Iterator[tuple[str, subprocess.Popen]]:
    """Start the server on a free port; yield its address and its process."""
    command = [sys.executable, "-m", "quickdraw.serve", "--port=0", *flags]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    told = []
    for line in process.stderr:
        told.append(line)
        if found := re.search(r"open (http://\S+) and draw", line):
            break
    else:
        pytest.fail("".join(told))
    try:
        yield found[1], process
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
        process.stderr.close()
