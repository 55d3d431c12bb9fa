"""The base of figures: data with an HTML rendering, for page and notebook, and JSON."""

from __future__ import annotations

import dataclasses
import itertools
import math
from pathlib import Path
from typing import ClassVar

import numpy as np
from markupsafe import Markup

from quickdraw.pages.render import piece, scoped_style
from quickdraw.report.words import Language, translator

TEMPLATE = Path(__file__).with_name("figures.html.j2")
STYLE = Path(__file__).with_name("figures.css")
_shown = itertools.count(1)
"""Counts rendered figures, since all figures of a notebook share one HTML page."""


class Figure:
    """The base of figures. A subclass is a dataclass; fields that begin with _ are not in JSON.

    Attributes:
        macro: the macro of `figures.html.j2` that renders it, and its key in report.json.
    """

    macro: ClassVar[str]

    def html(self, language: Language = "en", anchor: str = "") -> Markup:
        """Return it as HTML: SVG, PNG in data: URLs, and tables.

        Args:
            language: "en" or "ko".
            anchor: the prefix of its ids, so that a page can have it twice.
        """
        t = translator(language)
        return piece(TEMPLATE, self.macro, self, t=t, language=language, anchor=anchor)

    def shows(self) -> list[int]:
        """Return the indices of the drawings that it shows, so that all are read in one pass."""
        return []

    def json(self) -> dict[str, object]:
        """Return its data as JSON."""
        fields = dataclasses.fields(self)  # type: ignore[arg-type]
        names = [each.name for each in fields if not each.name.startswith("_")]
        return {name: plain(getattr(self, name)) for name in names}

    def _repr_html_(self) -> str:
        style = scoped_style(STYLE.read_text(encoding="utf-8"))
        anchor = f"figure{next(_shown)}-"
        return (
            f'{style}<div class="quickdraw" id="{anchor}confusion">{self.html("en", anchor)}</div>'
        )


def plain(value: object) -> object:
    """Convert a value to JSON types, numbers to six significant digits."""
    if isinstance(value, np.ndarray | np.generic):
        value = value.tolist()
    if hasattr(value, "_asdict"):
        value = value._asdict()
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        value = {each.name: getattr(value, each.name) for each in dataclasses.fields(value)}
    if isinstance(value, dict):
        return {
            str(key): plain(each) for key, each in value.items() if not str(key).startswith("_")
        }
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    if isinstance(value, float):
        return float(f"{value:.6g}") if math.isfinite(value) else None
    return value
