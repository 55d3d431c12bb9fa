"""Names of teams: printable, short, and no two confusable."""

from __future__ import annotations

import unicodedata

from quickdraw.errors import QuickdrawError
from quickdraw.records.class_names import BLANK, clean

_LONGEST = 40
_ZERO_WIDTH_JOINER = "\u200d"  # joins parts of some emoji
# Letters that look like Latin ones (Unicode Technical Standard 39, "confusables").
_ALIKE = str.maketrans(
    dict(zip("аеорсухіјѕһԁԛԝвнктмгѵ", "aeopcyxijshdqwbhktmrv", strict=True))
    | dict(zip("αορντικυηχγβεζμ", "aopvtikunxybezm", strict=True))
    | dict(zip("0135$@!|", "oles5a1l".replace("5", "s").replace("1", "i"), strict=True))
    | {"ı": "i", "ł": "l", "ø": "o", "đ": "d", "ß": "ss", "æ": "ae", "œ": "oe"}
)
_TWO = (("rn", "m"), ("vv", "w"), ("cl", "d"), ("l", "i"))


def checked(name: str) -> str:
    """Return a team's name, normalised.

    Raises:
        QuickdrawError: it is empty, too long, or has invisible characters.
    """
    name = clean(name)
    if not name or len(name) > _LONGEST:
        raise QuickdrawError(
            f"a name of 1 to {_LONGEST} characters expected. Received: {name!r:.90}"
        )
    for each in name:
        category = unicodedata.category(each)
        if each != _ZERO_WIDTH_JOINER and (category[0] == "C" or category in ("Zl", "Zp")):
            raise QuickdrawError(f"a name without control characters expected. Received: {name!r}")
    if not looks(name):
        raise QuickdrawError(
            f"a name with a letter, a digit or a sign expected. Received: {name!r}"
        )
    if sum(unicodedata.category(each)[0] == "M" for each in name) > len(name) // 2:
        raise QuickdrawError(f"a name with fewer marks above letters expected. Received: {name!r}")
    return name


def looks(name: str) -> str:
    """Return a skeleton that is equal for names that look alike, whatever their script."""
    plain = unicodedata.normalize("NFKD", name).translate(BLANK).casefold()
    plain = "".join(
        each for each in plain if unicodedata.category(each)[0] not in "MZCP" or each in "@!|"
    )
    plain = unicodedata.normalize("NFC", plain).translate(_ALIKE)
    for pair, one in _TWO:
        plain = plain.replace(pair, one)
    return plain
