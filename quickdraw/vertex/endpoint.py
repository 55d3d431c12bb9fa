"""Answers requests of a Vertex AI endpoint, in the image of the class.

    AIP_STORAGE_URI=gs://my-bucket/runs/cnn/saved_model/1000 python -m quickdraw.vertex.endpoint

`quickdraw.vertex.register --serving_image=own` lets an endpoint start this. A request is
{"instances": [image, …]}, each image a nested list of 0 … 255, `[size, size, channels]`; where a
model takes several inputs, each instance is an object of them by name. The answer is
{"predictions": [probabilities, …]}, in the order of labels.txt beside the model.

Source: Vertex AI documentation, "Custom container requirements for inference".
"""

from __future__ import annotations

import http.server
import json
import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from quickdraw import cli
from quickdraw.console import log
from quickdraw.errors import QuickdrawError
from quickdraw.storage import transfer

if TYPE_CHECKING:
    import tensorflow as tf

Predict = Callable[[list[Any]], np.ndarray]
"""From instances to probabilities, float32 `[instances, num_classes]`."""


def load(folder: str) -> Predict:
    """Load an exported model. The function returned raises ValueError for what does not fit.

    Raises:
        QuickdrawError: there is none.
    """
    cli.load_tensorflow()
    import tensorflow as tf

    with transfer.fetched_folder(folder) as local:
        if not tf.saved_model.contains_saved_model(local):
            raise QuickdrawError(f"{folder} holds no exported model: quickdraw.vertex.register")
        serve = tf.saved_model.load(local).signatures["serving_default"]
    specs = serve.structured_input_signature[1]

    def predict(instances: list[object]) -> np.ndarray:
        rows = [one if isinstance(one, dict) else dict.fromkeys(specs, one) for one in instances]
        inputs = {
            name: tf.constant(_array([row[name] for row in rows], spec))
            for name, spec in specs.items()
        }
        (probabilities,) = serve(**inputs).values()
        return probabilities.numpy()

    shapes = {name: [one or 1 for one in spec.shape[1:]] for name, spec in specs.items()}
    # Once, so that no request waits for what TensorFlow does at the first.
    predict([{name: np.zeros(shape) for name, shape in shapes.items()}])
    return predict


def _array(values: list[object], spec: tf.TensorSpec) -> np.ndarray:
    """Return an input as the model takes it."""
    dtype = spec.dtype.as_numpy_dtype
    array, limits = np.asarray(values, np.float64), np.iinfo(dtype)
    fits = spec.shape.is_compatible_with(array.shape) and array.size
    if not fits or (array != np.clip(np.round(array), limits.min, limits.max)).any():
        raise ValueError(
            f"{spec.name}: whole numbers of {limits.min} … {limits.max}, "
            f"{list(spec.shape[1:])} an instance, expected. Received: {list(array.shape[1:])}"
        )
    return array.astype(dtype)


class _Handler(http.server.BaseHTTPRequestHandler):
    predict: Predict

    def do_GET(self) -> None:
        """Say that the model is there: it was loaded before anything listened."""
        self._answer(200, {"status": "ready"})

    def do_POST(self) -> None:
        """Predict."""
        try:
            body = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))))
            predictions = type(self).predict(body["instances"])
        except Exception as error:  # whatever a client sends, the next one is to be answered
            line = str(error).partition("\n")[0]
            self._answer(400, {"error": f"{type(error).__name__}: {line}"})
        else:
            self._answer(200, {"predictions": predictions.tolist()})

    def _answer(self, status: int, content: dict[str, object]) -> None:
        data = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        """Be silent: an endpoint asks for the health of a model every few seconds."""


def server(predict: Predict, port: int) -> http.server.ThreadingHTTPServer:
    """Return a server that listens on a port, 0 for a free one, and answers with a model."""
    handler = type("Handler", (_Handler,), {"predict": staticmethod(predict)})
    return http.server.ThreadingHTTPServer(("", port), handler)


def main() -> int:
    """Serve until the process is ended; return an exit code where that fails."""
    folder, port = os.environ.get("AIP_STORAGE_URI", ""), os.environ.get("AIP_HTTP_PORT", "8080")
    try:
        if not folder:
            raise QuickdrawError("AIP_STORAGE_URI must name the folder of an exported model")
        with server(load(folder), int(port)) as running:
            log(f"serving {folder} on port {port}")
            running.serve_forever()
    except QuickdrawError as error:
        print(f"python -m quickdraw.vertex.endpoint: {error}", file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
