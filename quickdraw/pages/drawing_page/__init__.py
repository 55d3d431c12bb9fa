"""The page to draw on: one template, style and scripts for a single file, a folder and the server.

words.js says things in the reader's language; strokes.js does to strokes what `quickdraw.drawings`
does, to the last bit; pen.js is the paper, answers.js the bars. scoring.js is the rule of the game,
game.js and results.js are the game, nearest.js finds what others drew, collect.js keeps drawings on
a server. Who guesses is a script of its own, in_browser.js or by_server.js; page.js joins them all.
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
    """Return the content of drawing.css: the style of all pages, and this one's."""
    return "".join(
        path.read_text(encoding="utf-8") for path in (_HERE.parent / "style.css", _HERE / STYLE)
    )


def headers(wasm: bool = False) -> dict[str, str]:
    """Return the HTTP headers of the page: it loads nothing from elsewhere, and says so.

    Args:
        wasm: also run WebAssembly.
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
    """Return what the page says, by language."""
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
    """Return the page.

    Args:
        content: what the scripts read: `models`, descriptions as in export.json with a `name`, and
            perhaps `gallery`, for each label a few PNG in base64.
        guesser: who guesses.
        inline: put style and scripts into the page; else they lie beside it.
        labels: of the classes whose words in all languages the page has; None for all words.
        blocks: data for the scripts, base64, by the id of its element.
        runtime: scripts that run before all others, by file name.
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
    """Return JSON that no HTML parser takes for the end of its element."""
    return Markup(json.dumps(value, ensure_ascii=False).replace("<", "\\u003c"))


def _script(text: str) -> Markup:
    """Return a script that no HTML parser takes for the end of its element.

    What it replaces can only stand in strings, regular expressions and comments.
    """
    return Markup(re.sub(r"<(/script|!--)", r"<\\\1", text, flags=re.I))
