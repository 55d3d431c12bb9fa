"""Grading: every answer of a file beside the right one, and each fault with its line."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import BinaryIO

import numpy as np

from quickdraw.errors import QuickdrawError, did_you_mean
from quickdraw.evaluation.answer_rows import WORDS, AnswerRows, read_rows
from quickdraw.evaluation.solution import Solution
from quickdraw.records.class_names import clean

SHOWN = 20
POINTS = 6
"""What a right first answer is worth: halves and thirds of it are whole numbers, too."""
_CACHED = 100_000


@dataclasses.dataclass(frozen=True)
class Grades:
    """What a file without faults says.

    Attributes:
        words: whether its header is that of Kaggle's `key_id,word` files.
        points: of each drawing, in the order of the solution: 6 where the first answer is right,
            3 or 2 where the second or third is, else 0; uint8.
        answers: one number a drawing, the same for the same answers; int64.
    """

    words: bool
    points: np.ndarray
    answers: np.ndarray


class _Codes(dict[str, int]):
    """Answers as numbers, those read before from memory; -1 stands for a bad one.

    Up to three labels, counted from 1, are the digits of a number; 0 stands for no answer.
    """

    def __init__(self, parse: Callable[[str], list[int]], base: int):
        super().__init__()
        self._parse, self._base = parse, base

    def __missing__(self, text: str) -> int:
        try:
            labels = self._parse(text)
        except ValueError:
            return -1
        if len(self) >= _CACHED:
            self.clear()
        self[text] = sum((label + 1) * self._base**place for place, label in enumerate(labels))
        return self[text]


class Grading:
    """One file on its way; `add` it part by part."""

    def __init__(self, name: str, solution: Solution, parse: Callable[[str], list[int]], base: int):
        self._name, self._solution, self._parse = name, solution, parse
        self._codes, self._base = _Codes(parse, base), base
        self._seen = np.zeros(len(solution), bool)
        self._answers = np.zeros(len(solution), np.int64)
        self._points = np.zeros(len(solution), np.uint8)
        self.count, self.faults = 0, list[str]()

    def add(self, rows: AnswerRows) -> None:
        """Grade some rows."""
        at = self._solution.positions(rows.hashes())
        codes = np.fromiter(map(self._codes.__getitem__, rows.answers), np.int64, len(rows))
        known = at >= 0
        first = np.zeros(len(rows), bool)
        first[np.unique(at, return_index=True)[1]] = True
        new = known & first & ~self._seen[at]
        self._seen[at[new]] = True
        good = new & (codes >= 0)
        self._fill(at[good], codes[good])
        bad = np.flatnonzero(~good)
        self.count += len(bad)
        for index in bad[: SHOWN - len(self.faults)].tolist():
            what = self._what(rows, index, bool(known[index]), bool(new[index]))
            self.faults.append(f"{self._name}, line {rows.line(index)}: {what}")

    def _fill(self, at: np.ndarray, codes: np.ndarray) -> None:
        self._answers[at] = codes
        right = self._solution.labels[at] + 1
        for points in (POINTS, POINTS // 2, POINTS // 3):
            self._points[at] += (points * (codes % self._base == right)).astype(np.uint8)
            codes = codes // self._base

    def _what(self, rows: AnswerRows, index: int, known: bool, new: bool) -> str:
        image_id = f"{rows.ids[index]!r:.80}"
        if not known:
            return f"the solution has no id {image_id}"
        if not new:
            return f"the id {image_id} was there before"
        try:
            self._parse(rows.answers[index])
        except ValueError as error:
            return str(error)
        raise AssertionError(rows.answers[index])

    def close(self, words: bool, ids_of: Callable[[list[int]], list[str]]) -> Grades:
        """Return the grades.

        Args:
            words: whether the answers were words.
            ids_of: returns the ids at places of the solution.

        Raises:
            QuickdrawError: there were faults: their number, and the first ones.
        """
        missing = np.flatnonzero(~self._seen)
        self.count += len(missing)
        names = missing[: SHOWN - len(self.faults)].tolist()
        if names:
            self.faults += [f"{self._name}: the id {each!r} is missing" for each in ids_of(names)]
        if self.count:
            more = [f"… and {self.count - SHOWN:,} more"] if self.count > SHOWN else []
            head = f"{self.count:,} fault{'s' * (self.count > 1)}"
            raise QuickdrawError("\n".join([head, *self.faults, *more]))
        return Grades(words, self._points, self._answers)


def grade(
    file: BinaryIO,
    name: str,
    solution: Solution,
    names: list[str],
    ids_of: Callable[[list[int]], list[str]],
    numbers: Callable[[], list[int]] = list,
) -> Grades:
    """Grade a predictions file, some rows at a time.

    Args:
        file: open for reading bytes.
        name: what it is called in messages.
        solution: the right answers.
        names: of the classes, in the order of the solution's labels; none where nobody knows them.
        ids_of: returns the ids at places of the solution, for messages.
        numbers: returns what each label of the file is in the solution, none for what it is there.

    Raises:
        QuickdrawError: the file is not one that a leaderboard would accept; one line a fault.
    """
    header, parts = read_rows(file, name)
    if header == WORDS:
        parse, classes = _words_parser(names), len(names)
    else:
        mapped = numbers()
        classes = len(mapped) or len(names) or int(solution.labels.max()) + 1
        parse = _label_parser(mapped, classes)
    grading = Grading(name, solution, parse, max(classes, len(names)) + 1)
    for rows in parts:
        grading.add(rows)
    return grading.close(header == WORDS, ids_of)


def _label_parser(numbers: list[int], classes: int) -> Callable[[str], list[int]]:
    def parse(text: str) -> list[int]:
        if not text.isdecimal() or len(text) > 99 or int(text) >= classes:
            raise ValueError(f"the label must be 0…{classes - 1}. Received: {text!r:.80}")
        return [numbers[int(text)] if numbers else int(text)]

    return parse


def _words_parser(names: list[str]) -> Callable[[str], list[int]]:
    if not names:
        raise QuickdrawError(
            "words can be scored only with the names of the classes beside the solution: in the "
            "dataset.json of the records, or in solution.labels.csv"
        )
    known = {clean(name).replace(" ", "_"): number for number, name in enumerate(names)}

    def parse(text: str) -> list[int]:
        words = clean(text).split()
        if not 1 <= len(words) <= 3 or len(set(words)) < len(words):
            raise ValueError(f"one to three different words expected. Received: {text!r:.80}")
        for word in words:
            if word not in known:
                raise ValueError(f"no category {word[:80]!r}{did_you_mean(word[:80], known)}")
        return [known[word] for word in words]

    return parse
