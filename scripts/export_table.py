"""Measures what exports of runs cost and how good they are, and writes it into docs/*/play.md.

python scripts/export_table.py runs/cnn runs/mobilenet

Each run is exported in every format, loaded again and compared with Keras on 300 validation
drawings; then each file predicts the test drawings beside the run's training records. ms is the
median of one drawing, one thread. Without --write the table is printed alone.
"""

from __future__ import annotations

import argparse
import csv
import os
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from quickdraw import cli
from quickdraw.errors import QuickdrawError

DOCS = Path(__file__).resolve().parents[1] / "docs"
HEADS = {
    "en": ("model", "format", "kB", "ms", "largest difference", "same top-1", "top-1, test"),
    "ko": ("모델", "형식", "kB", "ms", "가장 큰 차이", "같은 top-1", "top-1, 테스트"),
}
KINDS = (("saved_model", False), ("onnx", False), ("litert", False), ("litert", True))
TIMED = 100


def test_drawings(ensemble):
    """The drawings and the labels of the test split beside the training records."""
    from quickdraw.readers import QuickDrawTestFeatureReader
    from quickdraw.records.shards import BadRecords

    folder = os.path.dirname(ensemble.run.settings["train_data_pattern"])
    with open(f"{folder}/solution.csv", encoding="utf-8") as file:
        answers = {row["image_id"]: int(row["label"]) for row in csv.DictReader(file)}
    reader = ensemble.reader(QuickDrawTestFeatureReader, "error")
    shards = ensemble.open_records(reader, f"{folder}/test-*")
    batches = list(reader.read(shards, 4096, BadRecords("error")))
    arrays = {name: np.concatenate([a[name] for a, _ in batches]) for name in batches[0][0]}
    ids = np.concatenate([ids for _, ids in batches])
    return arrays, np.array([answers[each.decode()] for each in ids])


def rows_of(train_dir: str):
    """Yield the cells of each format of a run, Keras first."""
    from quickdraw import runs
    from quickdraw.components.inputs import unwrapped
    from quickdraw.export import write

    trained = runs.load(train_dir)
    model = write.prepare([trained], [train_dir])
    arrays, labels = test_drawings(model.graph.ensemble)
    one = unwrapped({name: array[:1] for name, array in model.arrays.items()})
    seconds = []
    for _ in range(TIMED):
        start = time.perf_counter()
        trained.model.predict_on_batch(one)
        seconds.append(time.perf_counter() - start)
    keras = model.graph.ensemble.probabilities(arrays).argmax(axis=1)
    name = trained.run.model
    yield name, "Keras", "", f"{np.median(seconds[10:]) * 1e3:.2f}", "", "", share(keras == labels)
    for format, quantized in KINDS:
        kind = f"{format}, int8" if quantized else format
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, write.FORMATS[format].NAME)
            try:
                made = write.write(model, format, path, quantized)
            except QuickdrawError as error:
                print(error, file=sys.stderr)
                yield name, kind, "refused", "", "", "", ""
                continue
            found = write.FORMATS[format].load(path)(arrays).argmax(axis=1)
        of = made["agreement"]
        yield (
            name,
            kind,
            f"{made['bytes'] / 1e3:,.0f}",
            f"{of['milliseconds']:.2f}",
            f"{of['largest_difference']:.1e}",
            share(found == keras),
            share(found == labels),
        )


def share(right: np.ndarray) -> str:
    return f"{right.mean():.2%}".replace("%", " %")


def table(rows, head) -> str:
    lines = [head, ("---", "---", *("--:",) * 5), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("train_dirs", nargs="+")
    parser.add_argument("--write", action="store_true", help="into docs/*/play.md")
    flags = parser.parse_args()
    cli.load_tensorflow()
    rows = []
    for train_dir in flags.train_dirs:
        for row in rows_of(train_dir):
            print(" | ".join(row), flush=True)
            rows.append(row)
    if not flags.write:
        return
    for language, head in HEADS.items():
        write_into(DOCS / language / "play.md", table(rows, head))


def write_into(path: Path, made: str) -> None:
    """Replace the table on a page."""
    start, end = "<!-- table: written by scripts/export_table.py -->", "<!-- end of table -->"
    head, _, rest = path.read_text(encoding="utf-8").partition(start)
    path.write_text(f"{head}{start}\n\n{made}\n{end}{rest.partition(end)[2]}", encoding="utf-8")


if __name__ == "__main__":
    main()
