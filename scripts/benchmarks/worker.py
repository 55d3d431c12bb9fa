"""Calls one function and prints what it measured; run as a process of its own for every turn.

python -m benchmarks.worker package.module:function '{"argument": 1}'
"""

from __future__ import annotations

import importlib
import json
import os
import sys

from benchmarks import measure


def main(name: str, arguments: str) -> None:
    """Calls the function; whatever it prints goes to stderr, so that stdout holds JSON alone."""
    stdout = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    module, function = name.split(":")
    measurements = getattr(importlib.import_module(module), function)(**json.loads(arguments))
    json.dump({"measurements": measurements, "peak_megabytes": measure.peak_megabytes()}, stdout)
    stdout.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
