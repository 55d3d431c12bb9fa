"""The page of a report: whole, safe, small, and never half a file."""

import errno
import json
import pathlib
import re
import shutil

import numpy as np
import pytest
from parsing import Parsed

import quickdraw.report
from quickdraw import eval as evaluation
from quickdraw import storage
from quickdraw.records import dataset_info
from quickdraw.report import __main__ as command
from quickdraw.report import document, words
from quickdraw.report.evaluated import evaluate
from quickdraw.report.figure import TEMPLATE
from quickdraw.training import Settings, fit

EVIL = "<script>alert('고양이')</script>"


def report(*flags: str) -> int:
    return command.main(["report", *flags])


def written(folder, name="report") -> tuple[str, dict]:
    text = (folder / f"{name}.html").read_text(encoding="utf-8")
    return text, json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))


def check(text: str) -> Parsed:
    """The page is whole and needs nothing else; its links lead somewhere."""
    parsed = Parsed(text)
    assert parsed.open == []
    assert parsed.tags.isdisjoint({"link", "iframe"})
    addresses = parsed.values_of("src", "href")
    assert all(each.startswith(("#", "data:image/png;base64,")) for each in addresses)
    ids = parsed.values_of("id")
    assert len(ids) == len(set(ids))
    assert {each[1:] for each in addresses if each.startswith("#")} <= set(ids)
    assert "url(" not in text and "@import" not in text
    assert text.count("<script>") == 1
    return parsed


def train_on(folder, names, write_records, per_class=8, side=12, **settings) -> str:
    """Records of these classes in a folder, and a run on them."""
    rng = np.random.default_rng(0)
    for split, count in (("train", per_class), ("valid", settings.pop("valid", per_class))):
        labels = np.arange(count * len(names)) % len(names)
        images = rng.integers(0, 256, (len(labels), side, side), np.uint8)
        write_records(folder / f"{split}-0.tfrecord", images, label=labels)
    dataset_info.DatasetInfo(list(names), side).save(str(folder))
    run = str(folder / "run")
    patterns = {
        f"{kind}_data_pattern": f"{folder}/{split}-*"
        for kind, split in (("train", "train"), ("eval", "valid"))
    }
    fit(Settings(**patterns, train_dir=run, num_epochs=1.0, batch_size=8, **settings))
    return run


def test_one_run(tmp_path, tiny_run):
    run = shutil.copytree(tiny_run, tmp_path / "run")
    assert report(f"--train_dir={run}") == 0
    text, figures = written(run)
    parsed = check(text)
    joined = " ".join(parsed.texts)
    assert "This model has no convolutions." in joined and "hot dog" in joined
    assert (
        figures["headline"]["top1"]["value"] == json.loads((run / "best.json").read_text())["top1"]
    )
    assert figures["headline"]["drawings"] == 60
    for name in ("curves", "classification", "confusion", "reliability", "slices", "occlusion"):
        assert figures[name]


def test_several_runs_in_korean(tmp_path, tiny_run, cnn_run, tiny_data):
    output = tmp_path / "new" / "both.html"
    runs = f"--train_dir={tiny_run},{cnn_run}"
    assert (
        report(runs, f"--data_pattern={tiny_data.valid}", f"--output={output}", "--language=ko")
        == 0
    )
    text, figures = written(output.parent, "both")
    parsed = check(text)
    assert dict(parsed.attributes)["lang"] == "ko"
    assert "혼동 행렬" in text and "Confusion matrix" not in text
    assert set(figures["runs"]) == {"tiny", "cnn"}
    assert figures["comparison"]["rows"][1]["to_best"]["p"] <= 1
    assert "ensemble" in figures["comparison"]
    for name, of in figures["by_run"].items():
        assert of["headline"]["run"] == name
        assert of["classification"] and of["confusion"] and of["most_confident_mistakes"]
    assert figures["headline"] == figures["by_run"][figures["details_of"]]["headline"]
    assert len(figures["curves"]["charts"][0]["lines"]) == 2  # of both runs
    assert {"run1-confusion", "run2-confusion", "run2-decides"} <= set(parsed.values_of("id"))


def test_every_sentence_is_translated():
    table = words._korean()
    for template in TEMPLATE.parent.glob("*.j2"):
        text = template.read_text(encoding="utf-8")
        for sentence in re.findall(r'\bt\("([^"]+)"', text):
            korean = table[sentence]
            assert set(re.findall(r"{(\w+)}", korean)) == set(re.findall(r"{(\w+)}", sentence))


def test_the_titles_are_translated(seen):
    table = words._korean()
    report = document.report_of(seen)
    for section in [*report.shared, *report.runs[0].sections]:
        assert section.title in table
        for figure in section.figures:
            assert getattr(figure, "kind", "Drawings") in table
            assert getattr(figure, "says", "Drawings") in table


def test_what_records_say_is_text(tmp_path, write_records):
    run = train_on(tmp_path, [EVIL, "고양이 {x}", "a&b"], write_records, model="CnnModel")
    assert report(f"--train_dir={run}") == 0
    text, _ = written(tmp_path / "run")
    parsed = check(text)
    assert EVIL not in text and EVIL in "".join(parsed.texts) and "고양이 {x}" in text


def test_one_drawing(tmp_path, write_records, tiny_run, tiny_data):
    image = np.random.default_rng(0).integers(0, 256, (1, 12, 12), np.uint8)
    path = write_records(tmp_path / "x.tfrecord", image, label=[2])
    dataset_info.DatasetInfo(tiny_data.labels, 12).save(str(tmp_path))
    assert (
        report(
            f"--train_dir={tiny_run}", f"--data_pattern={path}", f"--output={tmp_path}/report.html"
        )
        == 0
    )
    text, figures = written(tmp_path)
    check(text)
    assert "Without a drawing: cat, hot dog." in text and figures["drawings"] == 1


@pytest.mark.parametrize("right", [True, False])
def test_all_right_or_all_wrong(tmp_path, write_records, tiny_run, tiny_data, right):
    seen = evaluate(tiny_run, tiny_data.valid)
    some = np.flatnonzero(seen.answers[0].right == right)[:5] if right else np.arange(5)
    images = np.stack([each.image for each in seen.shown(some)])
    predicted = seen.answers[0].predicted[some].astype(int)
    labels = predicted if right else (predicted + 1) % 3
    path = write_records(tmp_path / "x.tfrecord", images, label=labels)
    dataset_info.DatasetInfo(tiny_data.labels, 12).save(str(tmp_path))
    found = evaluate(tiny_run, path)
    document.write(found, str(tmp_path / "report.html"))
    text, figures = written(tmp_path)
    check(text)
    assert figures["headline"]["top1"]["value"] == right


def test_345_classes(tmp_path, write_records):
    names = [f"class {number}" for number in range(345)]
    run = train_on(tmp_path, names, write_records, per_class=2, side=28)
    assert report(f"--train_dir={run}") == 0
    text, figures = written(tmp_path / "run")
    check(text)
    assert len(text) < 8e6 and len(figures["classification"]["rows"]) == 345
    assert "One pixel is a cell" in text and "The worst neighbourhoods" in text


@pytest.mark.slow
def test_how_early_it_knows_where_records_keep_ink(tmp_path, write_records):
    from quickdraw.drawings.rasterise import rasterise
    from quickdraw.records.ink import ink_of

    lines = [[[[0, 255], [100, 120]]], [[[90, 100], [0, 255]]]]
    strokes = [lines[number % 2] for number in range(16)]
    ink = [ink_of(each) for each in strokes]
    for split in ("train", "valid"):
        write_records(
            tmp_path / f"{split}-0.tfrecord",
            [rasterise(each) for each in strokes],
            label=np.arange(16) % 2,
            ink=[each.ravel().tolist() for each in ink],
            shape=[list(each.shape) for each in ink],
        )
    dataset_info.DatasetInfo(["flat", "tall"], 28).save(str(tmp_path))
    patterns = {
        f"{kind}_data_pattern": f"{tmp_path}/{split}-*"
        for kind, split in (("train", "train"), ("eval", "valid"))
    }
    for model in ("LogisticModel", "StrokeRnnModel"):
        run = str(tmp_path / model)
        fit(Settings(**patterns, model=model, train_dir=run, num_epochs=1.0, batch_size=8))
        seen = evaluate(run)
        found = quickdraw.report.early(seen)
        assert found.shares[-1] == 1 and found.drawings_tried == 16
        assert found.top1[-1].value == pytest.approx(seen.answers[0].right.mean(), abs=0.01)
        document.write(seen, str(tmp_path / f"{model}.html"))
        text, figures = written(tmp_path, model)
        check(text)
        assert figures["early"]["drawings_tried"] == 16


def test_eval_writes_it_too(tmp_path, tiny_run):
    run = shutil.copytree(tiny_run, tmp_path / "run")
    assert evaluation.main(["eval", f"--train_dir={run}", "--run_once", "--report"]) == 0
    _, figures = written(run)
    result = json.loads((run / "eval.json").read_text())
    for name in ("top1", "map3", "loss", "ece"):
        assert figures["headline"][name]["value"] == pytest.approx(result[name], rel=1e-4)
    assert {"confusion", "reliability", "worst pairs", "least confident hits"} <= tags(run)


def tags(run) -> set[str]:
    """Return what TensorBoard shows of the evaluations of a run."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(f"{run}/eval")
    events.Reload()
    return set(events.Tags()["tensors"])


def test_a_run_on_gs(server, tiny_run):
    for name in ("run.json", "best.json", "best.keras", "metrics.csv"):
        with storage.write_whole(f"gs://b/run/{name}", "wb") as file:
            file.write(pathlib.Path(tiny_run, name).read_bytes())
    assert report("--train_dir=gs://b/run") == 0
    assert storage.read_json("gs://b/run/report.json")["runs"] == ["run"]
    assert storage.exists("gs://b/run/report.html")


def test_on_gs(server, tiny_run, tiny_data):
    assert (
        report(
            f"--train_dir={tiny_run}",
            f"--data_pattern={tiny_data.valid}",
            "--output=gs://b/out/report.html",
        )
        == 0
    )
    with storage.open_binary("gs://b/out/report.html") as file:
        check(file.read().decode())
    assert storage.read_json("gs://b/out/report.json")["drawings"] == 60


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--train_dir=nowhere"], "holds no run"),
        (["--train_dir={run}", "--output={folder}"], "it is a folder"),
        (["--train_dir={run}", "--output=/dev/null"], "this is none"),
        (["--train_dir={run}", "--output={run}/run.json/x.html"], "run.json is a file"),
        (["--train_dir=nowhere", "--output={folder}/new/x.html"], "holds no run"),
        (["--train_dir={run}", "--data_pattern=x", "--output={folder}/new/x.html"], "no file"),
        (["--train_dir={run}", "--output={folder}/x.json"], "an HTML file expected"),
        (["--train_dir={run}", "--data_pattern={folder}/none-*"], "no file matches"),
        (["--train_dir={run}", "--langage=ko"], "--language"),
        (["--train_dir={run},{run}2"], "holds no run"),
        (["--train_dir={empty}"], "no checkpoint yet"),
    ],
)
def test_a_mistake_is_one_line(tmp_path, tiny_run, capsys, flags, message):
    empty = tmp_path / "empty"
    empty.mkdir()
    shutil.copy(f"{tiny_run}/run.json", empty)
    places = {"run": tiny_run, "folder": tmp_path, "empty": empty}
    assert report(*(flag.format(**places) for flag in flags)) in (1, 2)
    err = capsys.readouterr().err
    assert message in err and "Traceback" not in err
    assert not list(tmp_path.glob("*.html")) and not (tmp_path / "new").exists()


def test_a_full_disk_leaves_what_was_there(tmp_path, tiny_run, tiny_data, monkeypatch, capsys):
    output = tmp_path / "report.html"
    output.write_text("before")
    seen = evaluate(tiny_run, tiny_data.valid)

    def full(*args):
        raise OSError(errno.ENOSPC, "No space left on device", str(output))

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space left"):
        document.write(seen, str(output))
    assert output.read_text() == "before"
    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]
    with pytest.raises(OSError, match="No space left"):
        document.write(seen, str(tmp_path / "new" / "below" / "report.html"))
    assert not (tmp_path / "new").exists()


def test_a_model_that_cannot_be_looked_into_has_a_page_without(seen, monkeypatch, capsys):
    def fails(seen):
        raise ValueError("no such layer\nmore")

    fails.__name__ = "occlusion"
    monkeypatch.setattr(document, "occlusion", fails)
    one = seen.alone(0)
    report = document.report_of(one)
    assert "occlusion is left out of the report" in (err := capsys.readouterr().err)
    assert err.endswith(f"{one.names[0]} fails in it: no such layer\n")
    assert [each.key for each in report.runs[0].sections][-1] == "decides"
    check(document.page(one, report))
