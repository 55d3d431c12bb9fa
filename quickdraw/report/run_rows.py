"""A table of runs from the files in their folders; needs no TensorFlow."""

from __future__ import annotations

import dataclasses
import io
import os
import zipfile

from quickdraw import storage
from quickdraw.console import columns, log
from quickdraw.errors import QuickdrawError
from quickdraw.records import dataset_info
from quickdraw.report.estimates import Estimate, wilson
from quickdraw.runs import history, record
from quickdraw.runs.record import Run
from quickdraw.runs.settings_of import differing_settings, plain_text

_EVAL, _BEST = "eval.json", "best.json"
_NOTHING = "–"


@dataclasses.dataclass
class RunRow:
    """A row of the table; None for unknown values.

    Attributes:
        run: its folder, without the common prefix.
        model: the name of its model.
        weights: the number of parameters.
        top1: the accuracy, with its 95 % interval for `drawings`.
        drawings: the number of evaluated drawings.
        top3: the share whose label is among the first three.
        map3: mean average precision at 3.
        loss: the mean of the run's own loss.
        ece: expected calibration error.
        step: the training step of the model.
        epochs: trained.
        seconds: of training.
        source: the records of the figures.
        differs: the settings in which the runs differ.
    """

    run: str
    model: str
    weights: int | None
    top1: Estimate | None
    drawings: int | None
    top3: float | None
    map3: float | None
    loss: float | None
    ece: float | None
    step: int | None
    epochs: float | None
    seconds: float | None
    source: str | None
    differs: dict[str, object]


def run_rows(folders: list[str]) -> list[RunRow]:
    """Return the runs in folders, the best first; those without figures come last.

    Folders without a run are logged and skipped.

    Args:
        folders: paths or patterns, local or gs://.

    Raises:
        QuickdrawError: none of them holds a run.
    """
    every = [each.rstrip("/") for folder in folders for each in _expanded(folder)]
    runs = {folder: record.read(folder) for folder in every if record.exists(folder)}
    if not runs:
        raise QuickdrawError(f"{', '.join(folders)}: no run there, as no {record.FILE_NAME} is")
    if passed_over := [folder for folder in every if folder not in runs]:
        log(f"no run in {', '.join(passed_over)}: passed over")
    names = _names(list(runs))
    differing = _differing(list(runs.values()))
    rows = [
        _row(folder, names[folder], run, differ)
        for (folder, run), differ in zip(runs.items(), differing, strict=True)
    ]
    if len({row.source for row in rows if row.top1}) > 1:
        log("warning: the figures are of different records: compare them with care")
    return sorted(rows, key=lambda row: -row.top1.value if row.top1 else 1)


def _expanded(folder: str) -> list[str]:
    """Return the run folders that match a pattern such as `runs/*`; a folder as it is."""
    if storage.is_folder(folder) or not any(sign in folder for sign in "*?["):
        return [folder]
    found = storage.expand(os.path.join(folder, record.FILE_NAME))
    return [os.path.dirname(path) for path in found]


def _row(folder: str, name: str, run: Run, differs: dict[str, object]) -> RunRow:
    figures = _figures(folder)
    source = figures.get("eval_data_pattern") or run.settings.get("eval_data_pattern")
    count = figures.get("examples") or _records_of(source)
    reports = history.reports(folder)
    top1 = figures.get("top1")
    return RunRow(
        name,
        run.model,
        weights_of(folder),
        None if top1 is None else _estimate(top1, count),
        count,
        figures.get("top3"),
        figures.get("map3"),
        figures.get("loss"),
        figures.get("ece"),
        figures.get("step"),
        reports[-1].get("epoch") if reports else None,
        history.training_seconds(folder, run.settings) or None,
        source,
        differs,
    )


def _estimate(top1: float, count: int | None) -> Estimate:
    if not count:
        return Estimate(top1, float("nan"), float("nan"))
    return wilson(round(top1 * count), count)


def _figures(folder: str) -> history.Figures:
    """Return the figures of eval.json if it is of the best model, else those of best.json."""
    found: dict[str, history.Figures] = {
        name: storage.read_json(path)
        for name in (_EVAL, _BEST)
        if storage.exists(path := os.path.join(folder, name))
    }
    best = found.get(_BEST, history.Figures())
    if _EVAL in found and found[_EVAL].get("step") == best.get("step", found[_EVAL].get("step")):
        return found[_EVAL]
    return best


def _records_of(pattern: str | None) -> int | None:
    """Return the number of records of a pattern by dataset.json; None without one."""
    try:
        files = storage.expand(pattern or "")
        info = dataset_info.load(os.path.dirname(files[0]))
    except QuickdrawError:  # the records were deleted
        return None
    names = {os.path.basename(path) for path in files}
    for split in info.splits.values() if info else ():
        if names == set(split.get("shards", ())):
            return split["records"]
    return None


def weights_of(folder: str) -> int | None:
    """Return the number of parameters of a run's best model; None without one."""
    try:
        with storage.open_binary(os.path.join(folder, "best.weights.h5")) as file:
            return _count(io.BytesIO(file.read()))
    except QuickdrawError:
        pass
    try:
        with (
            storage.open_binary(os.path.join(folder, "best.keras")) as file,
            zipfile.ZipFile(file) as archive,
        ):
            return _count(io.BytesIO(archive.read("model.weights.h5")))
    except (QuickdrawError, zipfile.BadZipFile, KeyError, OSError):
        return None


def _count(file: io.BytesIO) -> int:
    import h5py  # a dependency of Keras

    count = 0

    def add(name: str, found: object) -> None:
        nonlocal count
        # Seeds of random generators and the optimizer's variables are not parameters of the model.
        if isinstance(found, h5py.Dataset) and not name.startswith(("optimizer", "metrics")):
            count += 0 if "seed_generator" in name else found.size

    with h5py.File(file) as content:
        content.visititems(add)
    return count


def _names(folders: list[str]) -> dict[str, str]:
    """Return the last part of each path; the whole path for duplicates."""
    short = [os.path.basename(folder) for folder in folders]
    unique = len(set(short)) == len(short)
    return dict(zip(folders, short if unique else folders, strict=True))


def _differing(runs: list[Run]) -> list[dict[str, object]]:
    """Return each run's values of the settings in which the runs differ."""
    names: dict[str, None] = {}
    for run in runs[1:]:
        names |= dict.fromkeys(differing_settings(runs[0], run))
        names |= dict.fromkeys(differing_settings(run, runs[0]))
    found = []
    for run in runs:
        own: dict[str, object] = {}
        for other in runs:
            own |= differing_settings(run, other)
        found.append({name: own.get(name) for name in names if name in own and name != "model"})
    return found


def table(rows: list[RunRow]) -> list[str]:
    """Return the lines of a table."""
    head = (
        *("run", "model", "weights", "top-1", "95 %", "top-3", "MAP@3", "ECE"),
        *("drawings", "epochs", "training"),
    )
    lines = columns([head, *map(_cells, rows)])
    return [*lines, *_differences(rows)]


def _cells(row: RunRow) -> tuple[str, ...]:
    interval = _NOTHING
    if row.top1 and row.top1.low == row.top1.low:
        interval = f"{100 * row.top1.low:.1f}–{100 * row.top1.high:.1f} %"
    return (
        row.run,
        row.model,
        _shown(row.weights, "{:,}"),
        _shown(row.top1 and row.top1.value, "{:.2%}"),
        interval,
        _shown(row.top3, "{:.2%}"),
        _shown(row.map3, "{:.4f}"),
        _shown(row.ece, "{:.4f}"),
        _shown(row.drawings, "{:,}"),
        _shown(row.epochs, "{:.3g}"),
        _shown(row.seconds, "{:,.0f} s"),
    )


def _shown(value: float | None, form: str) -> str:
    return _NOTHING if value is None else form.format(value)


def _differences(rows: list[RunRow]) -> list[str]:
    lines = [f"{row.run}: {', '.join(_said(row.differs))}" for row in rows if row.differs]
    return ["", "settings that differ:", *lines] if lines else []


def _said(settings: dict[str, object]) -> list[str]:
    return [f"{name}={plain_text(of)}" for name, of in settings.items() if of is not None]
