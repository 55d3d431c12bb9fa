"""Pages from Jinja2 templates: each value is escaped, and a name without a value is an error."""

from __future__ import annotations

import functools
import re
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

_HERE = Path(__file__).parent


def render(template: Path, /, **values: Any) -> str:
    """Return the page that a template makes of some values.

    Args:
        template: a file that extends `base.html.j2`. It may import `macros.html.j2`; templates that
            it names lie beside it or in this folder.
        values: what the names in the template stand for. HTML in them is escaped.

    Raises:
        jinja2.UndefinedError: the template uses a name that has no value.
    """
    return _environment(template.parent).get_template(template.name).render(values)


def piece(template: Path, macro: str, /, *arguments: Any, **values: Any) -> Markup:
    """Return the HTML that one macro of a template makes; for parts that stand alone elsewhere.

    Args:
        template: a file that defines the macro.
        macro: its name.
        arguments: what it is called with.
        values: what other names in the template stand for.
    """
    module = _environment(template.parent).get_template(template.name).make_module(values)
    return Markup(getattr(module, macro)(*arguments))


def scoped_style(*sheets: str) -> Markup:
    """Return the style of all pages, and other sheets, for a part of somebody else's page.

    It holds within elements of the class `quickdraw` alone, such as a figure in a notebook.
    """
    text = "\n".join([(_HERE / "style.css").read_text(encoding="utf-8"), *sheets])
    text = re.sub(r"^( *)(:root|body) \{", r"\1:scope {", text, flags=re.M)
    return Markup(f"<style>@scope (.quickdraw) {{\n{text}}}</style>")  # our own, no one's input


@functools.cache
def _environment(folder: Path) -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader([folder, _HERE]),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["grouped"] = "{:,}".format
    # A page is one file: the style sheet is a part of it. No template: CSS has braces of its own.
    environment.globals["style"] = Markup((_HERE / "style.css").read_text(encoding="utf-8"))
    return environment
