"""An exported model answers as the run does that it was made of, without TensorFlow."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from exporting import untrained
from PIL import Image

from quickdraw import runs
from quickdraw.errors import QuickdrawError

pytest.importorskip("onnxruntime")
pytest.importorskip("tf2onnx")

HOUSE = [[[10, 10, 200, 200, 10], [200, 90, 90, 200, 200]], [[10, 105, 200], [90, 10, 90]]]


@pytest.fixture(scope="module", params=["CnnModel", "FusionModel"])
def both(request, tmp_path_factory) -> tuple[runs.TrainedModel, runs.OnnxModel]:
    from quickdraw.export import write

    trained = untrained(request.param, image_size=28)
    folder = str(tmp_path_factory.mktemp("exported"))
    write.export(write.prepare([trained], ["runs/some"]), ["onnx"], folder)
    return trained, runs.OnnxModel(folder)


def drawings(takes: tuple[str, ...]) -> list:
    if "ink" in takes:
        return [HOUSE, [HOUSE, HOUSE[:1]]]
    image = np.zeros((28, 28), np.uint8)
    image[5:20, 9:12] = 255
    larger = Image.fromarray(image).resize((40, 40))
    return [image, np.stack([image, image.T]), larger, [larger, image]]


def test_it_predicts_what_the_run_does(both):
    trained, exported = both
    assert set(exported.takes.inputs) == set(trained.takes.inputs)
    for each in drawings(trained.takes.inputs):
        expected, got = trained.predict(each), exported.predict(each)
        assert len(got) == len(expected) and sorted(got[0]) == sorted(trained.labels)
        for one, other in zip(got, expected, strict=True):
            assert one == pytest.approx(other, abs=1e-5)


def test_what_it_does_not_take_is_refused_as_the_run_refuses_it(both):
    for model in both:
        with pytest.raises(QuickdrawError, match="Received: "):
            model.predict(7)


def test_a_folder_without_an_export_is_told(tmp_path):
    with pytest.raises(QuickdrawError, match="holds no export"):
        runs.OnnxModel(str(tmp_path))


def test_a_damaged_file_is_told(tmp_path, both):
    from quickdraw.runs import exported

    exported.write(str(tmp_path), both[1]._session.description, {})
    (Path(tmp_path) / "model.onnx").write_bytes(b"no model")
    with pytest.raises(QuickdrawError, match="onnxruntime does not take it"):
        runs.OnnxModel(str(tmp_path))


def test_tensorflow_is_not_imported():
    code = (
        "import sys; from quickdraw.runs import OnnxModel; assert 'tensorflow' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
