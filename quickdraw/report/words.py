"""The page's words: English as it stands in the templates, Korean from a table."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Literal

Language = Literal["en", "ko"]


def translator(language: Language) -> Callable[..., str]:
    """Return what translates a sentence; `{name}` in it stands for a value."""
    table = _korean() if language == "ko" else {}

    def translate(sentence: str, **values: object) -> str:
        text = table.get(sentence, sentence)
        return text.format(**values) if values else text

    return translate


@functools.cache
def _korean() -> dict[str, str]:
    return json.loads(Path(__file__).with_name("words.ko.json").read_text(encoding="utf-8"))
