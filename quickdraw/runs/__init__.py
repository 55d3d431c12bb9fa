"""Everything in a train_dir: the record of a run, its checkpoints, figures and model.

import quickdraw.runs
trained = quickdraw.runs.load("runs/CnnModel")
trained.predict(images)          # [{"cat": 0.93, "dog": 0.05, ...}, ...]

For the lowest latency on single drawings: `python -m quickdraw.export --format=onnx`, and
exported = quickdraw.runs.OnnxModel("runs/CnnModel/export")
exported.predict(image)          # the same in 0.2 ms, without TensorFlow
"""

from typing import TYPE_CHECKING

from quickdraw.runs.record import FILE_NAME, Run, read

if TYPE_CHECKING:
    from quickdraw.runs.onnx_model import OnnxModel
    from quickdraw.runs.trained import TrainedModel, load

__all__ = ["FILE_NAME", "OnnxModel", "Run", "TrainedModel", "load", "read"]


def __getattr__(name: str) -> object:
    # Lazily: reading run.json needs neither NumPy nor readers.
    if name in ("TrainedModel", "load"):
        from quickdraw.runs import trained

        return getattr(trained, name)
    if name == "OnnxModel":
        from quickdraw.runs.onnx_model import OnnxModel

        return OnnxModel
    raise AttributeError(name)
