"""Jinja2 templates, with autoescape, and errors for undefined variables."""

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
    """Render a template to a page.

    Args:
        template: a file that extends `base.html.j2`. It may import `macros.html.j2`; other
            templates are looked up beside it and in this folder.
        values: the variables of the template. HTML in them is escaped.

    Raises:
        jinja2.UndefinedError: the template uses an undefined variable.
    """
    return _environment(template.parent).get_template(template.name).render(values)


def piece(template: Path, macro: str, /, *arguments: object, **values: object) -> Markup:
    """Render one macro of a template to HTML, for use outside of a page.

    Args:
        template: a file that defines the macro.
        macro: its name.
        arguments: of the macro.
        values: other variables of the template.
    """
    module = _environment(template.parent).get_template(template.name).make_module(values)
    return Markup(getattr(module, macro)(*arguments))


def scoped_style(*sheets: str) -> Markup:
    """Return the style of all pages, and other sheets, scoped for embedding in another page.

    It applies only within elements of the class `quickdraw`, such as a figure in a notebook. A
    dummy id in its selectors gives it precedence over Jupyter's styles of lists and tables.
    """
    text = "\n".join([_PLAIN, (_HERE / "style.css").read_text(encoding="utf-8"), *sheets])
    text = re.sub(r"^( *)(:root|body) \{", r"\1& {", text, flags=re.M)
    text = f"<style>:is(.quickdraw, #quickdraw) {{\n{text}}}</style>"
    return Markup(text)  # our own files, not input


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
    # A page is one file, with the style sheet inside; not as a template, since CSS has braces.
    environment.globals["style"] = Markup((_HERE / "style.css").read_text(encoding="utf-8"))
    return environment
