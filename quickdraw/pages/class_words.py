"""What classes are called in the reader's language: the categories of Quick, Draw!, and digits.

`classes.LANGUAGE.json` has a word for each, and for `ants` and `scissor`, as the samples spell
them; where one word would stand for two classes, a hint in brackets parts them. Words are for eyes
and ears: what is sent, kept and scored are the names of classes.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Iterable
from pathlib import Path

_HERE = Path(__file__).parent


@functools.cache
def every_word() -> dict[str, dict[str, str]]:
    """Return the words of all classes by language, then by the class's name as it is shown."""
    paths = sorted(_HERE.glob("classes.*.json"))
    return {path.suffixes[-2][1:]: json.loads(path.read_text(encoding="utf-8")) for path in paths}


def words_of(labels: Iterable[str]) -> dict[str, dict[str, str]]:
    """Return those of `every_word` that some classes need; none for a class that has no word."""
    names = {shown(label) for label in labels}
    return {
        language: {name: word for name, word in words.items() if name in names}
        for language, words in every_word().items()
    }


def shown(label: str) -> str:
    """Return the name of a class as pages show it, such as `hot dog` for `hot_dog`."""
    return label.replace("_", " ")


def named(language: str, label: str) -> str:
    """Return what a class is called in a language, or its own name where there is no word."""
    name = shown(label)
    return every_word().get(language, {}).get(name, name)
