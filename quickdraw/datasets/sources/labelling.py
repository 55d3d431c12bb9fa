"""Labels as people store them in TFRecords: numbers, whole floats, one-hot lists, names."""

from __future__ import annotations

import dataclasses
import functools
import itertools
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from quickdraw import storage
from quickdraw.console import log
from quickdraw.datasets.sources import names
from quickdraw.drawings.drawing import SkippedDrawing
from quickdraw.errors import QuickdrawError, did_you_mean
from quickdraw.records import example, tfrecord
from quickdraw.records.class_names import spaced

KEYS = ("label", "class_index")
"""Where the label is looked for unless told: in the camp's records, and in the tutorial's."""
IDS = ("image_id", "key_id")
_TELLING = re.compile(r"label|class|categor|target|word|text$|(^|/)y$")
_LOOKED_AT = 20  # records of each shard
_NO_CLASS = "a label that is no class"
_UNKNOWN = [-1]  # of a test set, as TensorFlow Datasets stores it

Feature = Sequence[Any]
"""Of a record: bytes, floats or integers."""
Values = dict[str, Feature]
"""The features of a record."""


@dataclasses.dataclass(frozen=True)
class Labelling:
    """How to tell the class of a record.

    Attributes:
        keys: the features that may hold the label; the first one that a record has does.
        classes: their names, in label order; their decimals are the names where there are none.
        one_hot: of how many numbers a label is one-hot; 0 where it is one number, or a name.
        is_unlabelled: whether the records of the shard have no label; those of others must.
    """

    keys: tuple[str, ...] = KEYS
    classes: Sequence[str] = ()
    one_hot: int = 0
    is_unlabelled: bool = False

    def word(self, values: Values) -> str | None:
        """Return the name of a record's class; None in a shard without labels.

        Raises:
            SkippedDrawing: there is no label, or none that is one class.
        """
        label = label_in(values, self.keys)
        if self.is_unlabelled and label in ((), _UNKNOWN):
            return None
        if len(label) != (self.one_hot or 1):
            raise SkippedDrawing("no label" if not label else "several labels", str(label)[:60])
        if self.one_hot:
            label = [position_of_one(label)]
        if isinstance(label[0], bytes):
            return self._named(label[0])
        if label[0] < 0 or label[0] != label[0] // 1:
            raise SkippedDrawing(_NO_CLASS, str(label[0]))
        if not self.classes:
            return str(int(label[0]))
        if label[0] >= len(self.classes):
            raise SkippedDrawing(_NO_CLASS, f"{label[0]} of {len(self.classes)}")
        return self.classes[int(label[0])]

    def _named(self, label: bytes) -> str:
        try:
            word = names.of_cell(label.decode())
        except UnicodeDecodeError:
            raise SkippedDrawing("a label that is not UTF-8 text", repr(label)[:60]) from None
        if not self.classes:
            return word
        if spaced(word) in self._by_name:
            return self._by_name[spaced(word)]
        if not word.isdecimal() or int(word) >= len(self.classes):
            raise SkippedDrawing(_NO_CLASS, word)
        return self.classes[int(word)]  # the number of a class, written as text

    @functools.cached_property
    def _by_name(self) -> dict[str, str]:
        return {spaced(name): name for name in self.classes}


def look(
    shards: Sequence[tuple[str, str]],
    image_key: str,
    label_key: str | None,
    classes: Sequence[str],
    splits: Sequence[str | None],
) -> list[Labelling]:
    """Return how each shard is labelled, seen in its first records.

    Args:
        shards: of each the path, and the path as the user knows it.
        image_key: the feature with the picture.
        label_key: the feature with the label; None looks for one of `KEYS`.
        classes: their names, where they are known.
        splits: which each shard is of, where its name tells. A test set may lack the label.

    Raises:
        QuickdrawError: a feature that is told is in none of them, labels are of several classes,
            the label is probably in another feature, or nowhere in a shard to train on.
    """
    labelling = Labelling((label_key,) if label_key else KEYS, classes)
    samples = [_first(path, name) for path, name in shards]
    everything = [values for sample in samples for values in sample]
    if not everything:
        return [labelling] * len(shards)  # damaged: their records will be named one by one
    told = {"image_key": image_key if image_key != "image" else None}
    if {*splits} != {"test"}:
        told["label_key"] = label_key
    _check_keys(shards[0][1], sorted(set().union(*everything)), image_key, told)
    result = []
    lengths: set[int] = set()
    kinds: dict[bool, str] = {}  # whether a label is a name → the first shard with such a one
    for (_, name), sample, split in zip(shards, samples, splits, strict=True):
        labels = [label_in(values, labelling.keys) for values in sample]
        if sample and not any(labels):
            _check_unlabelled(name, sorted(set().union(*sample)), label_key, split)
        is_unlabelled = all(label in ((), _UNKNOWN) for label in labels)
        lengths.update(_length(label, name) for label in labels if label)
        kinds = {_is_name(label): name for label in labels if label and label != _UNKNOWN} | kinds
        result.append(dataclasses.replace(labelling, is_unlabelled=is_unlabelled))
    if len(kinds) > 1 and not classes:
        raise QuickdrawError(
            f"{kinds[True]} has labels that are names, and {kinds[False]} such that are numbers: "
            "which of them are one class, nobody says. Give one of them"
        )
    one_hot = max(lengths, default=1)
    if len(lengths) > 1 or (one_hot > 1 and classes and one_hot != len(classes)):
        wanted = f"as long as there are classes, {len(classes)}" if classes else "of one length"
        some = " and ".join(map(str, sorted(lengths)))
        raise QuickdrawError(f"{shards[0][1]}: labels {wanted} expected. Received: {some} values")
    return [dataclasses.replace(each, one_hot=one_hot if one_hot > 1 else 0) for each in result]


def _is_name(label: Feature) -> bool:
    """Return whether a label is text other than the digits of a number."""
    return isinstance(label[0], bytes) and not label[0].strip().isdigit()


def label_in(values: Values, keys: Sequence[str]) -> Feature:
    """Return the label among the features of a record; `()` if there is none."""
    return next((list(values[key]) for key in keys if values.get(key)), ())


def telling_of(names: Iterable[str]) -> list[str]:
    """Return those of the names of features or columns that tell of a label."""
    return [name for name in names if _TELLING.search(name.lower())]


def position_of_one(label: Feature) -> int:
    """Return the class of a one-hot label.

    Raises:
        SkippedDrawing: it is none.
    """
    if sorted(label) != [0] * (len(label) - 1) + [1]:
        raise SkippedDrawing("several labels, or none", str(label)[:60])
    return list(label).index(1)


def values_of(data: bytes) -> Values:
    """Return the features of a serialised Example, each a sequence.

    Raises:
        SkippedDrawing: it is none.
    """
    try:
        features = example.Example.FromString(data).features.feature
    except example.DecodeError:
        raise SkippedDrawing("not a tf.train.Example") from None
    kinds = {name: features[name].WhichOneof("kind") for name in features}
    return {
        name: getattr(features[name], kind).value if kind else () for name, kind in kinds.items()
    }


def _first(path: str, name: str) -> list[Values]:
    """Return the features of the first records of a shard that can be read."""
    samples = []
    with storage.open_binary(path) as file:
        for data in itertools.islice(tfrecord.read(file, name), _LOOKED_AT):
            if isinstance(data, bytes):
                try:
                    samples.append(values_of(data))
                except SkippedDrawing:
                    continue
    return samples


def _check_keys(
    name: str, features: Sequence[str], image_key: str, told: Mapping[str, str | None]
) -> None:
    """Raise QuickdrawError if a feature that is told, or the picture, is in no record."""
    for flag, key in told.items():
        if key and key not in features:
            raise QuickdrawError(
                f"{name}: no record has the --{flag} {key!r}{did_you_mean(key, features)}"
            )
    if image_key not in features and "ink" not in features:
        raise QuickdrawError(
            f"{name}: no feature {image_key!r}, nor 'ink': --image_key names the one with the "
            f"picture. The records have: {', '.join(features)}"
        )


def _length(label: Feature, name: str) -> int:
    """Return the length of a label, which is one value or one-hot."""
    if len(label) > 1:
        try:
            position_of_one(label)
        except (SkippedDrawing, TypeError):
            raise QuickdrawError(
                f"{name}: one label a record expected, or a one-hot list. Received: "
                f"{len(label)} values, {str(label)[:60]}"
            ) from None
    return len(label)


def _check_unlabelled(
    name: str, features: Sequence[str], label_key: str | None, split: str | None
) -> None:
    """Say that a shard has no labels, unless it is a test set to all appearances.

    Raises:
        QuickdrawError: a feature sounds like a label, and none was told; or the shard's name says
            that it is to train on.
    """
    telling = telling_of(features)
    key = repr(label_key) if label_key else " or ".join(map(repr, KEYS))
    has = f"The records have: {', '.join(features)}"
    if (telling and not label_key) or split in ("train", "valid"):
        such = f", such as --label_key={telling[0]}" if telling else ""
        raise QuickdrawError(
            f"{name}: no feature {key}: --label_key names the one with the label{such}. {has}"
        )
    if telling or not {*IDS} & {*features}:
        log(f"warning: {name}: no feature {key}, so these are records for a test. {has}")
