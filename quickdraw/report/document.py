"""The whole report: all figures of some runs, as one HTML page and as one JSON file."""

from __future__ import annotations

import dataclasses
import json
import os
from pathlib import Path
from typing import Any

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
from quickdraw.report.head import headline
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
        key: its anchor.
        title: its name, in English.
        figures: what is in it.
    """

    key: str
    title: str
    figures: list[Figure]


def write(seen: Evaluated, output: str, language: Language = "en") -> str:
    """Write the page and, beside it, report.json; each is whole or not there.

    Args:
        seen: what `evaluate` returned.
        output: the page, local or gs://; what is there is replaced.
        language: of the page.

    Returns:
        The path of the JSON file.

    Raises:
        QuickdrawError: `output` is a folder, or cannot be written.
    """
    sections = sections_of(seen)
    text = page(seen, sections, language)
    beside = json_path(output)
    with storage.write_whole(beside) as file:
        json.dump(content_of(seen, sections), file, ensure_ascii=False)
        file.write("\n")
    with storage.write_whole(output) as file:
        file.write(text)
    return beside


def json_path(output: str) -> str:
    """Return where the figures go: report.json beside report.html."""
    return f"{os.path.splitext(output)[0]}.json"


def check_output(output: str) -> None:
    """Raise an error now if the page cannot be written, not after all has been read.

    Raises:
        QuickdrawError: it is a folder, or its folder cannot be made.
    """
    if storage.is_folder(output):
        raise QuickdrawError(f"{output}: the name of a file expected, it is a folder")
    if json_path(output) == output:
        raise QuickdrawError(f"{output}: an HTML file expected; its figures go to a .json beside")
    storage.make_folders(os.path.dirname(output) or ".")


def sections_of(seen: Evaluated) -> list[Section]:
    """Return all figures. A model that cannot be looked into is said, and the rest is there."""
    sections = []
    if len(seen.answers) > 1:
        both = [several.comparison(seen), several.disagreement(seen)]
        sections.append(Section("runs", "Runs side by side", both))
    sections += [
        Section("headline", "How good it is", [headline(seen)]),
        Section("training", "How it was trained", [curves(seen)]),
        Section("classes", "Classification report", [classification(seen)]),
        Section("confusion", "What is confused", [confusion(seen)]),
        Section(
            "drawings",
            "Drawings",
            [confident_mistakes(seen), unsure_hits(seen), label_errors(seen)],
        ),
        Section("calibration", "Does it know how sure it is?", [reliability(seen), coverage(seen)]),
        Section("slices", "Where it is weak", [slices(seen)]),
    ]
    _fetch(seen, sections)
    looks = [figure for make in (occlusion, feature_maps, layers) for figure in _tried(make, seen)]
    if looks:
        sections.append(Section("decides", "How it decides", looks))
    if beginnings := _tried(early, seen):
        sections.append(Section("early", "How early it knows", beginnings))
    _fetch(seen, sections)
    return sections


def _fetch(seen: Evaluated, sections: list[Section]) -> None:
    """Read all drawings that are shown, in one pass, and those that are redrawn."""
    shown = [each for part in sections for figure in part.figures for each in figure.shows()]
    seen.fetch([*shown, *chosen_for_early(seen)])


def _tried(make: Any, seen: Evaluated) -> list[Figure]:
    """Return what a function makes that calls a student's network in unusual ways."""
    try:
        figure = make(seen)
    except (MemoryError, OSError, QuickdrawError):
        raise
    except Exception as error:  # whatever somebody's own layers raise
        line = str(error).strip().splitlines() or [repr(error)]
        log(
            f"warning: {make.__name__} is left out of the report, this model fails in it: {line[0]}"
        )
        return []
    return [figure] if figure is not None else []


def page(seen: Evaluated, sections: list[Section], language: Language = "en") -> str:
    """Return the page: one file, in which everything from records and runs is escaped."""
    return render(
        _TEMPLATE,
        title=", ".join(seen.names),
        language=language,
        t=translator(language),
        sections=sections,
        best=seen.names[seen.best],
        runs=len(seen.names),
        source=seen.source,
        version=__version__,
        figure_style=_code(STYLE),
        script=_code(_SCRIPT),
    )


def _code(path: Path) -> Markup:
    return Markup(path.read_text(encoding="utf-8"))  # our own, no one's input


def content_of(seen: Evaluated, sections: list[Section]) -> dict[str, Any]:
    """Return every figure of the report, as JSON has it."""
    found: dict[str, Any] = {
        "runs": seen.names,
        "details_of": seen.names[seen.best],
        "data": seen.source,
        "drawings": len(seen),
        "labels": seen.labels,
    }
    for section in sections:
        for figure in section.figures:
            kind = getattr(figure, "kind", "")
            name = kind.lower().replace(" ", "_") or figure.macro
            found[name] = plain(figure.json())
    return found
