"""Pages from Jinja2 templates: each value is escaped, and a name without a value is an error."""

from __future__ import annotations

import functools
import re
from pathlib import Path

import jinja2
from markupsafe import Markup

_HERE = Path(__file__).parent
_PLAIN = """
ul, li { list-style: none; }
table { table-layout: auto; color: inherit; font-size: inherit; }
dt, dd { float: none; width: auto; }
thead, tr { background: none; border: none; }
"""


def render(template: Path, /, **values: object) -> str:
    """Return the page that a template makes of some values.

    Args:
        template: a file that extends `base.html.j2`. It may import `macros.html.j2`; templates that
            it names lie beside it or in this folder.
        values: what the names in the template stand for. HTML in them is escaped.

    Raises:
        jinja2.UndefinedError: the template uses a name that has no value.
    """
    return _environment(template.parent).get_template(template.name).render(values)


def piece(template: Path, macro: str, /, *arguments: object, **values: object) -> Markup:
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

    It holds within elements of the class `quickdraw` alone, such as a figure in a notebook, and
    there before the style of the page: an id, though none has it, outweighs what Jupyter says of
    lists and tables.
    """
    text = "\n".join([_PLAIN, (_HERE / "style.css").read_text(encoding="utf-8"), *sheets])
    text = re.sub(r"^( *)(:root|body) \{", r"\1& {", text, flags=re.M)
    text = f"<style>:is(.quickdraw, #quickdraw) {{\n{text}}}</style>"
    return Markup(text)  # our own, no one's input


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
