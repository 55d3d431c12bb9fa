"""Scores predictions as a leaderboard would; needs no TensorFlow."""

from __future__ import annotations

import csv
import dataclasses
import os
from collections.abc import Callable, Iterator

from quickdraw import storage
from quickdraw.console import log
from quickdraw.errors import QuickdrawError, did_you_mean
from quickdraw.records import dataset_info, labels
from quickdraw.records.class_names import clean

_SHOWN = 20
_HEADERS = (["image_id", "label"], ["key_id", "word"])


@dataclasses.dataclass(frozen=True)
class Score:
    """The score of a predictions file; as text, e.g. `top-1 0.9023 (3,406 drawings)`.

    Attributes:
        name: "top-1" or "MAP@3".
        value: 0 to 1.
        drawings: how many there were.
    """

    name: str
    value: float
    drawings: int

    def __str__(self) -> str:
        return f"{self.name} {self.value:.4f} ({self.drawings:,} drawings)"


def score(predictions: str, solution: str) -> Score:
    """Return the score of a predictions file.

    Raises:
        QuickdrawError: the file is not one that a leaderboard would accept; one line a fault.
    """
    right = _read_solution(solution)
    names = _names(solution)
    header, rows = _read(predictions)
    if header == _HEADERS[0]:
        parse = _label_parser(_numbers(predictions, solution, names), names, right)
    else:
        parse = _words_parser(names)
    answers: dict[str, list[int]] = {}
    faults = []
    for line, (image_id, text) in rows:
        try:
            if image_id not in right:
                raise ValueError(f"the solution has no id {image_id!r}")
            if image_id in answers:
                raise ValueError(f"the id {image_id!r} was there before")
            answers[image_id] = []  # so that a bad label is not reported as a missing id as well
            answers[image_id] = parse(text)
        except ValueError as error:
            faults.append(f"{predictions}, line {line}: {error}")
    faults += [
        f"{predictions}: the id {image_id!r} is missing"
        for image_id in right
        if image_id not in answers
    ]
    if faults:
        more = [f"… and {len(faults) - _SHOWN:,} more"] if len(faults) > _SHOWN else []
        raise QuickdrawError(
            "\n".join([f"{len(faults):,} fault{'s' * (len(faults) > 1)}", *faults[:_SHOWN], *more])
        )
    return _result(answers, right, header)


def _result(answers: dict[str, list[int]], right: dict[str, int], header: list[str]) -> Score:
    # With one answer a drawing, the precision at 3 is the precision at 1.
    points = sum(
        1 / (answers[key].index(label) + 1) for key, label in right.items() if label in answers[key]
    )
    name = "top-1" if header == _HEADERS[0] else "MAP@3"
    return Score(name, points / len(right), len(right))


def _names(solution: str) -> list[str]:
    """Return the names of the solution's labels; none where they are not known."""
    beside = labels.beside(solution)
    if storage.exists(beside):
        return labels.read(beside)
    info = dataset_info.load(os.path.dirname(solution) or ".")
    return info.labels if info else []


def _numbers(predictions: str, solution: str, names: list[str]) -> list[int]:
    """Return what each label of the predictions is in the solution; none for what it is there.

    Raises:
        QuickdrawError: both are known by name, and the solution lacks one.
    """
    beside = labels.beside(predictions)
    if not names or not storage.exists(beside):
        return []
    own = labels.read(beside)
    if labels.same(own, names):
        return []
    numbers = labels.numbers_in(own, names)
    if numbers is None:
        raise labels.differ(beside, own, solution, names)
    log(
        f"warning: {beside} names the labels in another order than {solution} has them: the "
        "predictions are scored by the names of the classes"
    )
    return numbers


def _label_parser(
    numbers: list[int], names: list[str], right: dict[str, int]
) -> Callable[[str], list[int]]:
    classes = len(numbers) or len(names) or max(right.values()) + 1

    def parse(text: str) -> list[int]:
        if not text.isdecimal() or int(text) >= classes:
            raise ValueError(f"the label must be 0…{classes - 1}. Received: {text!r}")
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
            raise ValueError(f"one to three different words expected. Received: {text!r}")
        for word in words:
            if word not in known:
                raise ValueError(f"no category {word!r}{did_you_mean(word, known)}")
        return [known[word] for word in words]

    return parse


def _read_solution(path: str) -> dict[str, int]:
    header, rows = _read(path)
    if header != _HEADERS[0]:
        raise QuickdrawError(f"{path}: the header must be image_id,label. Received: {header}")
    right = {}
    for line, (image_id, label) in rows:
        if not label.isdecimal() or image_id in right:
            raise QuickdrawError(f"{path}, line {line}: a doubled id or a label that is no number")
        right[image_id] = int(label)
    if not right:
        raise QuickdrawError(f"{path}: the solution is empty")
    return right


def _read(path: str) -> tuple[list[str], Iterator[tuple[int, list[str]]]]:
    """Return the header of a CSV file, and its rows with their line numbers."""
    with storage.open_binary(path) as file:
        content = file.read()
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise QuickdrawError(f"{path}: not a UTF-8 text file ({error})") from None
    reader = csv.reader(text.splitlines(), strict=True)
    try:
        header = next(reader, [])
    except csv.Error as error:
        raise QuickdrawError(f"{path}, line 1: {error}") from None
    if header not in _HEADERS:
        expected = " or ".join(",".join(one) for one in _HEADERS)
        raise QuickdrawError(
            f"{path}, line 1: the header must be {expected}. Received: {','.join(header)!r}"
        )

    def rows() -> Iterator[tuple[int, list[str]]]:
        try:
            for row in reader:
                if len(row) != 2:
                    raise csv.Error(f"two columns expected. Received: {row}")
                yield reader.line_num, row
        except csv.Error as error:
            raise QuickdrawError(f"{path}, line {reader.line_num}: {error}") from None

    return header, rows()
