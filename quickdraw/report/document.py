"""The report: all figures of some runs, as an HTML page and a JSON file."""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Callable
from pathlib import Path

from markupsafe import Markup

from quickdraw import __version__, storage
from quickdraw.console import log
from quickdraw.errors import QuickdrawError
from quickdraw.pages.render import render
from quickdraw.report import several
from quickdraw.report.beginnings import chosen_for_early, early
from quickdraw.report.classes import classification
from quickdraw.report.confident_learning import label_errors
from quickdraw.report.evaluated import Evaluated
from quickdraw.report.figure import STYLE, Figure, plain
from quickdraw.report.galleries import confident_mistakes, unsure_hits
from quickdraw.report.head import Headline, headline
from quickdraw.report.hidden_pieces import occlusion
from quickdraw.report.matrix import confusion
from quickdraw.report.network import feature_maps, layers
from quickdraw.report.slicing import slices
from quickdraw.report.sureness import coverage, reliability
from quickdraw.report.training_curves import curves
from quickdraw.report.words import Language, translator

_TEMPLATE = Path(__file__).with_name("report.html.j2")
_SCRIPT = Path(__file__).with_name("report.js")
PAGE_NAME = "report.html"


@dataclasses.dataclass
class Section:
    """A part of the page.

    Attributes:
        key: its anchor, after the prefix of its run.
        title: in English.
        figures: its content.
    """

    key: str
    title: str
    figures: list[Figure]


@dataclasses.dataclass
class RunPart:
    """The part of the page about one run.

    Attributes:
        name: of the run.
        anchor: the prefix of its anchors; empty for a single run.
        headline: its main figures.
        sections: all of it.
    """

    name: str
    anchor: str
    headline: Headline
    sections: list[Section]


@dataclasses.dataclass
class Document:
    """The content of the page.

    Attributes:
        shared: the sections about all runs together.
        runs: the parts about each run, the best first.
    """

    shared: list[Section]
    runs: list[RunPart]


def write(seen: Evaluated, output: str, language: Language = "en") -> str:
    """Write the page and, beside it, report.json; each atomically.

    Args:
        seen: the result of `evaluate`.
        output: the path of the page, local or gs://; replaced if it exists.
        language: of the page.

    Returns:
        The path of the JSON file.

    Raises:
        QuickdrawError: `output` is a folder, or cannot be written.
    """
    report = report_of(seen)
    text = page(seen, report, language)
    beside = json_path(output)
    content = json.dumps(content_of(seen, report), ensure_ascii=False)
    with storage.write_whole(beside) as figures, storage.write_whole(output) as file:
        figures.write(f"{content}\n")
        file.write(text)
    return beside


def json_path(output: str) -> str:
    """Return the path of the JSON file: report.json beside report.html."""
    return f"{os.path.splitext(output)[0]}.json"


def check_output(output: str) -> None:
    """Check, before the long evaluation, that page and JSON file can be written.

    Raises:
        QuickdrawError: one of them is a folder, or cannot be written.
    """
    if json_path(output) == output:
        raise QuickdrawError(f"{output}: an HTML file expected; its figures go to a .json beside")
    if os.path.exists(output) and not os.path.isdir(output) and not os.path.isfile(output):
        raise QuickdrawError(f"{output}: an HTML file expected, this is none")
    for path in (output, json_path(output)):
        storage.check_output(path)


def report_of(seen: Evaluated) -> Document:
    """Compute all figures; those that fail on a student's model are logged and left out."""
    shared: list[Section] = []
    headlines = {}
    if len(seen.names) > 1:
        compared = several.comparison(seen)
        headlines = {row.headline.run: row.headline for row in compared.rows}
        sides = [compared, curves(seen), several.disagreement(seen)]
        shared = [
            Section("runs", "Runs side by side", sides),
            Section("labels", "Are the labels right?", [label_errors(seen)]),
        ]
    order = sorted(range(len(seen.names)), key=lambda at: -seen.answers[at].right.mean())
    alone = [seen.alone(at) for at in order] if shared else [seen]
    parts = []
    for number, one in enumerate(alone, 1):
        head = headlines.get(one.names[0]) or headline(one)
        sections = _answers_of(one, head, bool(shared))
        parts.append(RunPart(one.names[0], f"run{number}-" if shared else "", head, sections))
    every = [*shared, *(section for part in parts for section in part.sections)]
    _fetch(seen, every)
    for one, part in zip(alone, parts, strict=True):
        part.sections += _looks_of(one)
    _fetch(seen, [section for part in parts for section in part.sections])
    return Document(shared, parts)


def _answers_of(seen: Evaluated, head: Headline, with_others: bool) -> list[Section]:
    """Return the sections from one run's predictions; label errors use those of all runs."""
    galleries: list[Figure] = [confident_mistakes(seen), unsure_hits(seen)]
    if not with_others:
        galleries.append(label_errors(seen))
    return [
        Section("headline", "How good it is", [head]),
        Section("training", "How it was trained", [curves(seen)]),
        Section("classes", "Classification report", [classification(seen)]),
        Section("confusion", "What is confused", [confusion(seen)]),
        Section("drawings", "Drawings", galleries),
        Section("calibration", "Does it know how sure it is?", [reliability(seen), coverage(seen)]),
        Section("slices", "Where it is weak", [slices(seen)]),
    ]


def _looks_of(seen: Evaluated) -> list[Section]:
    """Return the sections that need the network itself, or more predictions."""
    sections = []
    looks = [figure for make in (occlusion, feature_maps, layers) for figure in _tried(make, seen)]
    if looks:
        sections.append(Section("decides", "How it decides", looks))
    if beginnings := _tried(early, seen):
        sections.append(Section("early", "How early it knows", beginnings))
    return sections


def _fetch(seen: Evaluated, sections: list[Section]) -> None:
    """Read all drawings that the page shows in one pass over the records."""
    shown = [each for part in sections for figure in part.figures for each in figure.shows()]
    seen.fetch([*shown, *chosen_for_early(seen)])


def _tried(make: Callable[[Evaluated], Figure | None], seen: Evaluated) -> list[Figure]:
    """Return a function's figure; None, with a warning, if a student's network fails in it."""
    try:
        figure = make(seen)
    except (MemoryError, OSError, QuickdrawError):
        raise
    except Exception as error:  # custom layers may raise anything
        line = str(error).strip().splitlines() or [repr(error)]
        log(
            f"warning: {make.__name__} is left out of the report, {seen.names[0]} fails in it: "
            f"{line[0]}"
        )
        return []
    return [figure] if figure is not None else []


def page(seen: Evaluated, report: Document, language: Language = "en") -> str:
    """Render the page: one file, in which everything from records and runs is escaped."""
    return render(
        _TEMPLATE,
        title=", ".join(seen.names),
        language=language,
        t=translator(language),
        report=report,
        source=seen.source,
        version=__version__,
        figure_style=_code(STYLE),
        script=_code(_SCRIPT),
    )


def _code(path: Path) -> Markup:
    return Markup(path.read_text(encoding="utf-8"))  # our own files, not input


def content_of(seen: Evaluated, report: Document) -> dict[str, object]:
    """Return every figure of the report as JSON.

    The top level has the figures about all runs, and those of the best run; with several runs,
    `by_run` has those of each.
    """
    best = report.runs[0]
    found: dict[str, object] = {
        "runs": seen.names,
        "details_of": best.name,
        "data": seen.source,
        "drawings": len(seen),
        "labels": seen.labels,
        **_figures_in(best.sections),
        **_figures_in(report.shared),
    }
    if len(report.runs) > 1:
        found["by_run"] = {part.name: _figures_in(part.sections) for part in report.runs}
    return found


def _figures_in(sections: list[Section]) -> dict[str, object]:
    found: dict[str, object] = {}
    for section in sections:
        for figure in section.figures:
            kind = getattr(figure, "kind", "")
            found[kind.lower().replace(" ", "_") or figure.macro] = plain(figure.json())
    return found
