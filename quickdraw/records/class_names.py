"""The one form of a class's name, whoever wrote it: a Mac, a browser, a spreadsheet."""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Iterable

_UNSEEN = dict.fromkeys(map(ord, "\u00ad\u200b\u200e\u200f\u2060\ufeff"))  # of no width
BLANK = dict.fromkeys(map(ord, "\u115f\u1160\u3164\uffa0\u2800"))
"""Letters and signs that show nothing, for `str.translate`: Hangul fillers, empty Braille."""
_SPACES = re.compile(r"[^\S\r\n]+")
_MISSING = {"", "nan", "null", "none", "<na>", "n/a", "#n/a"}
_COPY = re.compile(r" (- )?\(?(copy|복사본)\)?( \(?\d+\)?)?$|\.0$")
_BETWEEN = re.compile(r"[\s_.\-'’]+")


@functools.lru_cache(1 << 14)
def clean(name: str) -> str:
    """Return a name composed (NFC), without characters of no width and with single spaces.

    macOS gives the names of files decomposed: a 고양이 of its folders is another string than one
    that was typed.
    """
    return _SPACES.sub(" ", unicodedata.normalize("NFC", name.translate(_UNSEEN))).strip()


def is_seen(name: str) -> bool:
    """Return whether a name shows anything at all."""
    return bool(name.translate(BLANK).strip())


def is_missing(name: str) -> bool:
    """Return whether a cell says that there is no name: empty, nan, null, None."""
    return clean(name).casefold() in _MISSING


def spaced(name: str) -> str:
    """Return the name with spaces for underscores, which mean the same."""
    return name.replace("_", " ")


def alike(name: str) -> str:
    """Return a form that is equal for names a file system, a reader or a person may confuse."""
    return spaced(clean(name)).casefold()


def look_alikes(names: Iterable[str]) -> list[tuple[str, str]]:
    """Return pairs of names that look like one: apart in width, spaces, hyphens, a plural s."""
    seen: dict[str, str] = {}
    pairs = []
    for name in names:
        form = unicodedata.normalize("NFKC", alike(name))
        form = "".join(each for each in form if unicodedata.category(each) != "Cf")
        form = _BETWEEN.sub("", _COPY.sub("", form)) or form
        near = [form]
        if len(form) > 2:
            near += [form + "s", form + "es", form.removesuffix("s"), form.removesuffix("es")]
        other = next((seen[each] for each in near if each in seen), None)
        seen.setdefault(form, name)
        if other is not None:
            pairs.append((other, name))
    return pairs
