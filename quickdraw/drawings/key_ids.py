"""The numbers of drawings, as text: what a table program made of them is undone, or noticed."""

from __future__ import annotations

import hashlib
import re

NAMES = (
    *("image_id", "key_id", "imageid", "id"),
    *("filename", "file_name", "image_name", "source_id"),
)
"""What people call the column, the field or the feature with the id of a test record."""
_NUMBER = re.compile(r"[1-9][0-9]{0,18}")  # 0 is none, and 007 another than 7
_GROUPED = re.compile(r"\d{1,3}([.,'’\s])\d{3}(?:\1\d{3})+")  # 5.829.304.141.217.792
_FLOAT = re.compile(r"(\d+)[.,]0*")  # a comma in many countries
_SCIENTIFIC = re.compile(r"(\d+)(?:[.,](\d+)[eE]\+?|[eE]\+)(\d+)")  # 1e5 may be hexadecimal
_EXACT = 1 << 53  # up to here a float stands for one whole number
_NONE = ("", "nan", "none", "null")


def exact(value: object) -> str:
    """Return a key_id as it was: `5829304141217792` for `5829304141217792.0`; "" for none.

    Raises:
        ValueError: it has lost digits, such as `5.83E+15`.
    """
    text = str(value).strip()
    if _GROUPED.fullmatch(text):
        text = re.sub(r"\D", "", text)
    if text.isdecimal():
        return text
    if text.lower() in _NONE:
        return ""
    if found := _FLOAT.fullmatch(text):
        if int(found[1]) <= _EXACT:
            return found[1]
        raise ValueError(text)
    if found := _SCIENTIFIC.fullmatch(text):
        whole, part, exponent = found[1], found[2] or "", int(found[3])
        if len(part.rstrip("0")) <= exponent <= len(part):
            return whole + part[:exponent]
        raise ValueError(text)
    return text


def number_of(key_id: str) -> int:
    """Return a number from 1 to 2^64 - 1 that is another for another key_id; 0 for none."""
    if not key_id:
        return 0
    if _NUMBER.fullmatch(key_id):
        return int(key_id)
    return int.from_bytes(hashlib.blake2b(key_id.encode(), digest_size=8).digest(), "big")
