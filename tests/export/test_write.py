"""Every model of the zoo in every format: written, loaded by its own runtime, compared."""

from __future__ import annotations

import json
import os

import numpy as np
import onnx
import pytest
from exporting import LABELS, SMALL, untrained

from quickdraw.errors import QuickdrawError
from quickdraw.export import agreement, litert, write
from quickdraw.export import onnx as onnx_format
from quickdraw.runs import exported
from quickdraw.runs.trained import TrainedModel


@pytest.fixture(autouse=True)
def _few_drawings(monkeypatch):
    monkeypatch.setattr(agreement, "_TIMED", 3)
    monkeypatch.setattr(agreement.drawings, "__defaults__", (40,))


def prepared(*names, **options):
    models = [untrained(name) for name in names]
    return write.prepare(models, [f"runs/{name}" for name in names], **options)


@pytest.mark.parametrize("name", SMALL)
def test_every_model_of_the_zoo_in_every_format(name, tmp_path):
    model = prepared(name)
    files = write.export(model, list(write.FORMATS), str(tmp_path))
    assert set(files) == {"saved_model", "onnx", "litert"}
    for made in files.values():
        assert made["agreement"]["same_top1"] == 1
        assert made["agreement"]["largest_difference"] < agreement.LIMIT
    assert sorted(os.listdir(tmp_path)) == [
        "export.json",
        "model.onnx",
        "model.tflite",
        "saved_model",
    ]


@pytest.mark.parametrize("format", write.FORMATS)
def test_an_ensemble_of_images_and_ink_is_one_graph(format, tmp_path):
    model = prepared("CnnModel", "StrokeTransformerModel", weights=[3, 1], tta=True)
    assert list(model.graph.specs) == ["image", "ink"]
    made = write.write(model, format, str(tmp_path / "model"))
    assert made["agreement"]["largest_difference"] < agreement.LIMIT


def test_classes_in_another_order_are_taken_by_name(tmp_path):
    models = [untrained("CnnModel"), untrained("LogisticModel", labels=LABELS[::-1])]
    model = write.prepare(models, ["a", "b"])
    write.write(model, "onnx", str(tmp_path / "model.onnx"))
    predict = onnx_format.load(str(tmp_path / "model.onnx"))
    own = [each.probabilities(model.arrays["image"]) for each in models]
    np.testing.assert_allclose(predict(model.arrays), (own[0] + own[1][:, ::-1]) / 2, atol=1e-5)


@pytest.mark.parametrize("format", write.FORMATS)
def test_half_precision_is_exported_as_its_float32_twin(format, tmp_path):
    trained = untrained("ResNetModel", precision="bfloat16")
    assert trained.model.compute_dtype == "bfloat16"
    model = write.prepare([trained], ["runs/half"])
    write.write(model, format, str(tmp_path / "model"))
    half = trained.probabilities(model.arrays["image"])
    assert np.abs(model.wanted - half).max() < 0.1


@pytest.mark.parametrize("name", ["CnnModel", "FusionModel"])
def test_int8_is_smaller_and_agrees(name, tmp_path):
    model = prepared(name)
    whole = write.write(model, "litert", str(tmp_path / "whole"))
    small = write.write(model, "litert", str(tmp_path / "small"), quantized=True)
    assert small["quantized"] == "int8"
    assert small["bytes"] < 0.8 * whole["bytes"]
    assert small["agreement"]["same_top1"] >= agreement.INT8_LIMIT


def test_files_say_what_they_are(tmp_path):
    model = prepared("FusionModel")
    files = write.export(model, ["onnx", "litert"], str(tmp_path))
    described, said = exported.read(str(tmp_path))
    assert described == model.description
    assert said == json.loads(json.dumps(files))
    assert described.labels == LABELS and described.runs[0]["step"] == 7
    assert described.inputs["ink"] == {
        "shape": [None, 32, 3],
        "axes": ["batch", "point", "dx_dy_end"],
        "dtype": "int16",
    }
    proto = onnx.load(tmp_path / "model.onnx")
    metadata = {entry.key: entry.value for entry in proto.metadata_props}
    assert exported.from_text(metadata["quickdraw"], "model.onnx") == described
    assert [value.name for value in proto.graph.output] == ["probabilities"]
    batch = [value.type.tensor_type.shape.dim[0].dim_param for value in proto.graph.input]
    assert batch == ["batch", "batch"]
    text = litert.read_metadata((tmp_path / "model.tflite").read_bytes())
    assert exported.from_text(text, "model.tflite") == described


def odd_model():
    """A model with an operation that neither ONNX nor LiteRT has."""
    import keras
    import tensorflow as tf

    class Bessel(keras.layers.Layer):
        def call(self, x):
            return tf.math.bessel_i0e(x)

    trained = untrained("LogisticModel")
    model = keras.Model(trained.model.input, Bessel()(trained.model.output))
    return write.prepare([TrainedModel(model, trained.run, 7)], ["runs/odd"])


@pytest.mark.parametrize(("format", "runtime"), [("onnx", "ONNX"), ("litert", "LiteRT")])
def test_an_operation_without_a_counterpart_is_named_in_one_line(format, runtime, tmp_path):
    with pytest.raises(QuickdrawError) as raised:
        write.export(odd_model(), ["saved_model", format], str(tmp_path))
    assert "BesselI0e" in str(raised.value) and runtime in str(raised.value)
    assert "\n" not in str(raised.value)
    assert os.listdir(tmp_path) == []


def test_what_predicts_something_else_is_not_left_behind(tmp_path):
    model = prepared("CnnModel")
    wrong = write.Model(model.graph, model.description, model.arrays, model.wanted[::-1])
    with pytest.raises(QuickdrawError, match=r"does not predict what Keras does: 0\.0001 expected"):
        write.export(wrong, ["onnx"], str(tmp_path))
    assert os.listdir(tmp_path) == []
    nothing = np.full_like(model.wanted, np.nan)
    found = agreement.compare(
        lambda arrays: nothing[: len(arrays["image"])], model.arrays, model.wanted
    )
    with pytest.raises(QuickdrawError):
        found.check("model", quantized=False)


def test_files_of_another_model_do_not_stay_beside_new_ones(tmp_path, capsys):
    write.export(prepared("LogisticModel"), ["onnx", "saved_model"], str(tmp_path))
    write.export(prepared("LogisticModel"), ["litert"], str(tmp_path))
    assert set(exported.read(str(tmp_path))[1]) == {"onnx", "saved_model", "litert"}
    write.export(prepared("CnnModel"), ["onnx"], str(tmp_path))
    assert sorted(os.listdir(tmp_path)) == ["export.json", "model.onnx"]
    assert (
        "saved_model (saved_model) was of another model, LogisticModel: deleted"
        in capsys.readouterr().err
    )


def test_to_and_from_a_bucket(server, tiny_run, tmp_path, capsys):
    from quickdraw import storage
    from quickdraw.export import main

    for path in ("run.json", "best.keras", "best.json"):
        with storage.open_binary(f"{tiny_run}/{path}") as file:
            server.store.put("b", f"runs/tiny/{path}", file.read())
    flags = ["--train_dir=gs://b/runs/tiny", "--format=saved_model,onnx,litert", "--quantize=int8"]
    assert main(["export", *flags]) == 0, capsys.readouterr().err
    assert capsys.readouterr().out.split() == [
        f"gs://b/runs/tiny/export/{name}" for name in ("saved_model", "model.onnx", "model.tflite")
    ]
    described, files = exported.read("gs://b/runs/tiny/export")
    assert described.labels == ["cat", "hot dog", "sun"]
    assert storage.exists("gs://b/runs/tiny/export/saved_model/saved_model.pb")
    assert files["onnx"]["bytes"] == storage.file_size("gs://b/runs/tiny/export/model.onnx")


@pytest.mark.parametrize(
    ("flags", "code", "message"),
    [
        (["--format=pdf"], 2, "some of saved_model, onnx, litert, web expected. Received: pdf"),
        (["--format="], 2, "Received: none"),
        (["--format=onnx", "--quantize=int8"], 2, "--quantize=int8 is for --format=litert"),
        (["--ensemble_weights=a"], 2, "must be numbers"),
        (["--train_dir=nowhere"], 1, "nowhere holds no run"),
    ],
)
def test_mistakes_are_a_line(flags, code, message, capsys):
    from quickdraw.export import main

    assert main(["export", *flags]) == code
    error = capsys.readouterr().err
    assert message in error and "Traceback" not in error
