"""Korean and English: what the pages say, by the language of the browser."""

from __future__ import annotations

import functools
import json
import re
from pathlib import Path

LANGUAGES = ("ko", "en")
_HERE = Path(__file__).parent


@functools.cache
def korean() -> dict[str, dict[str, str]]:
    """Return the Korean texts: `texts` by the English ones, `errors` by patterns of them."""
    return json.loads((_HERE / "korean.json").read_text(encoding="utf-8"))


def language_of(chosen: str | None, accepted: str) -> str:
    """Return `ko` or `en`.

    Args:
        chosen: by a click; counts if it is one of them.
        accepted: the header Accept-Language (RFC 9110, section 12.5.4).
    """
    if chosen in LANGUAGES:
        return str(chosen)
    wanted = []
    for place, part in enumerate(accepted[:200].split(",")):
        name, _, quality = part.strip().partition(";q=")
        try:
            wanted.append((-float(quality or 1), place, name.lower()[:2]))
        except ValueError:
            continue
    return next((name for _, _, name in sorted(wanted) if name in LANGUAGES), "en")


def translate(language: str, text: str, /, **values: object) -> str:
    """Return a text of the pages in a language, with values in the places of their names."""
    if language == "ko":
        text = korean()["texts"][text]
    return text.format(**values) if values else text


def translate_error(language: str, message: str) -> str:
    """Return an error's lines in a language; those that nobody translated stay as they are."""
    if language != "ko":
        return message
    return "\n".join(map(_korean_line, message.splitlines()))


def _korean_line(line: str) -> str:
    for pattern, text in korean()["errors"].items():
        if match := re.fullmatch(pattern, line):
            return text.format(*match.groups())
    return line
