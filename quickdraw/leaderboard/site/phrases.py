"""The texts of the pages in Korean and English, by the language of the browser."""

from __future__ import annotations

import functools
import json
import re
from pathlib import Path

LANGUAGES = ("ko", "en")
_HERE = Path(__file__).parent


@functools.cache
def korean() -> dict[str, dict[str, str]]:
    """Return the Korean texts: `texts` by the English text, `errors` by pattern."""
    return json.loads((_HERE / "korean.json").read_text(encoding="utf-8"))


def language_of(chosen: str | None, accepted: str) -> str:
    """Return `ko` or `en`.

    Args:
        chosen: the language that the visitor set; ignored if it is neither.
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
    """Return a text in a language, its named placeholders filled in."""
    if language == "ko":
        text = korean()["texts"][text]
    return text.format(**values) if values else text


def translate_error(language: str, message: str) -> str:
    """Return an error's lines in a language; lines without a translation stay English."""
    if language != "ko":
        return message
    return "\n".join(map(_korean_line, message.splitlines()))


def _korean_line(line: str) -> str:
    for pattern, text in korean()["errors"].items():
        if match := re.fullmatch(pattern, line):
            return text.format(*match.groups())
    return line
