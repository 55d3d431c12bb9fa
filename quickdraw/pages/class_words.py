"""The names of classes in other languages: the categories of Quick, Draw!, and digits.

`classes.LANGUAGE.json` has a word for each, and for `ants` and `scissor`, as the samples spell
them; where one word would stand for two classes, a hint in brackets parts them. Words are for
display only: class names are what is sent, stored and scored.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Iterable
from pathlib import Path

_HERE = Path(__file__).parent


@functools.cache
def every_word() -> dict[str, dict[str, str]]:
    """Return the words of all classes, by language and displayed class name."""
    paths = sorted(_HERE.glob("classes.*.json"))
    return {path.suffixes[-2][1:]: json.loads(path.read_text(encoding="utf-8")) for path in paths}


def words_of(labels: Iterable[str]) -> dict[str, dict[str, str]]:
    """Return the words of some classes; classes without a word are left out."""
    names = {shown(label) for label in labels}
    return {
        language: {name: word for name, word in words.items() if name in names}
        for language, words in every_word().items()
    }


def shown(label: str) -> str:
    """Return the displayed name of a class, such as `hot dog` for `hot_dog`."""
    return label.replace("_", " ")


def named(language: str, label: str) -> str:
    """Return the word for a class in a language, or its name if there is none."""
    name = shown(label)
    return every_word().get(language, {}).get(name, name)
