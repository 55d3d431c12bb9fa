"""A process that predicts with Keras over a pipe, for models that do not convert to ONNX.

    python -m quickdraw.export.keras_process runs/mine

The first line of stdout is the description, as in export.json. Then each question on stdin is
answered on stdout, as `runs.array_pipe` writes them: the inputs of a batch by name, and its
`probabilities` or an `error`. It ends with stdin.
"""

from __future__ import annotations

import os
import sys

import numpy as np

from quickdraw import cli
from quickdraw.errors import QuickdrawError
from quickdraw.runs import array_pipe


def main(argv: list[str] | None = None) -> int:
    """Answer questions until stdin ends; return the exit code."""
    (train_dir,) = (sys.argv if argv is None else argv)[1:]
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # libraries that print must not corrupt the protocol
    cli.load_tensorflow()
    from quickdraw import runs
    from quickdraw.export.graph import Graph, describe
    from quickdraw.runs.ensemble import Ensemble

    try:
        graph = Graph(Ensemble([runs.load(train_dir)]))
        description = describe(graph, [train_dir])
    except QuickdrawError as error:
        print(error, file=sys.stderr)
        return 1
    answers.write(description.as_text().encode() + b"\n")
    answers.flush()
    while (arrays := array_pipe.receive(sys.stdin.buffer)) is not None:
        try:
            answer = {"probabilities": graph.ensemble.probabilities(arrays)}
        except Exception as error:  # fails this batch alone
            answer = {"error": np.array(" ".join(str(error).split())[:300])}
        array_pipe.send(answers, answer)
    return 0


if __name__ == "__main__":
    sys.exit(main())
