"""The page to draw on: one template, style and scripts for a single file, a folder and the server.

words.js translates; strokes.js processes strokes as `quickdraw.drawings` does, bit for bit; pen.js
is the canvas, answers.js the bars. scoring.js has the rule of the game, game.js and results.js the
game; nearest.js finds similar drawings, collect.js sends drawings to a server. Predictions come
from in_browser.js or by_server.js; page.js connects them all.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal

from markupsafe import Markup

from quickdraw.pages import class_words
from quickdraw.pages.render import render

Guesser = Literal["in_browser", "by_server"]

_HERE = Path(__file__).parent
STYLE = "drawing.css"
_SCRIPTS = (
    *("words", "strokes", "pen", "scoring"),
    *("nearest", "answers", "results", "game", "collect"),
)


def scripts(guesser: Guesser) -> dict[str, str]:
    """Return the scripts of the page, by file name, in the order in which they are to run."""
    names = (*_SCRIPTS, guesser, "page")
    return {f"{name}.js": (_HERE / f"{name}.js").read_text(encoding="utf-8") for name in names}


def style() -> str:
    """Return the content of drawing.css: the style of all pages, and that of this page."""
    return "".join(
        path.read_text(encoding="utf-8") for path in (_HERE.parent / "style.css", _HERE / STYLE)
    )


def headers(wasm: bool = False) -> dict[str, str]:
    """Return the HTTP headers of the page, which forbid loading anything from elsewhere.

    Args:
        wasm: allow WebAssembly.
    """
    scripts = "'self' 'wasm-unsafe-eval'" if wasm else "'self'"
    return {
        "Content-Security-Policy": f"default-src 'none'; script-src {scripts}; style-src 'self'; "
        "img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'",
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
    }


def words() -> dict[str, dict[str, Any]]:
    """Return the texts of the page, by language."""
    paths = sorted(
        _HERE.glob("words.*.json"), key=lambda path: (path.name != "words.en.json", path)
    )
    return {path.suffixes[-2][1:]: json.loads(path.read_text(encoding="utf-8")) for path in paths}


def html(
    content: Mapping[str, object],
    guesser: Guesser,
    *,
    inline: bool,
    labels: Iterable[str] | None = None,
    blocks: Mapping[str, str] | None = None,
    runtime: Mapping[str, str] | None = None,
) -> str:
    """Return the HTML of the page.

    Args:
        content: data for the scripts: `models`, descriptions as in export.json with a `name`, and
            optionally `gallery`, a few PNG in base64 for each label.
        guesser: the script that predicts.
        inline: put style and scripts into the page; else they are files beside it.
        labels: the classes whose words the page needs; None for all.
        blocks: data for the scripts, base64, by element id.
        runtime: scripts to run before all others, by file name.
    """
    classes = class_words.every_word() if labels is None else class_words.words_of(labels)
    data = {**content, "classes": classes}
    every = {**(runtime or {}), **scripts(guesser)}
    return render(
        _HERE / "drawing.html.j2",
        inline=inline,
        own_style=Markup((_HERE / STYLE).read_text(encoding="utf-8")),
        page=_data({**data, "guesser": "server" if guesser == "by_server" else "browser"}),
        words=_data(words()),
        blocks=blocks or {},
        scripts={name: _script(text) if inline else "" for name, text in every.items()},
    )


def _data(value: object) -> Markup:
    """Return JSON escaped so that it cannot end its script element."""
    return Markup(json.dumps(value, ensure_ascii=False).replace("<", "\\u003c"))


def _script(text: str) -> Markup:
    """Return a script escaped so that it cannot end its element.

    The replaced sequence can only occur in strings, regular expressions and comments.
    """
    return Markup(re.sub(r"<(/script|!--)", r"<\\\1", text, flags=re.I))
