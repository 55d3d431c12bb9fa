"""Translations of the page: English from the templates, Korean from a table."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Literal

Language = Literal["en", "ko"]


def translator(language: Language) -> Callable[..., str]:
    """Return a function that translates a sentence and fills in its `{name}` placeholders."""
    table = _korean() if language == "ko" else {}

    def translate(sentence: str, **values: object) -> str:
        text = table.get(sentence, sentence)
        return text.format(**values) if values else text

    return translate


@functools.cache
def _korean() -> dict[str, str]:
    return json.loads(Path(__file__).with_name("words.ko.json").read_text(encoding="utf-8"))
