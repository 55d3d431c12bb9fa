"""The index: sorted part by part, in memory that does not grow with the number of drawings."""

import tracemalloc

import numpy as np
import pytest

from quickdraw.datasets import splits
from quickdraw.datasets.writing import index as index_module
from quickdraw.datasets.writing.entries import ENTRY, NO_WORD
from quickdraw.datasets.writing.index import Index
from quickdraw.errors import QuickdrawError

CLASSES, BYTES = 5, 400
_ROUNDED = 10**15


def entries_of(count, word=None, first=0, seed=0):
    """Entries of drawings in the order of the files, ten thousand to a file."""
    rng, number = np.random.default_rng(seed), np.arange(first, first + count)
    entries = np.zeros(count, ENTRY)
    entries["key"] = rng.integers(0, 2**63, count, np.uint64) * np.uint64(2)
    entries["file"], entries["position"] = number // 10_000, number % 10_000 * BYTES
    entries["word"] = number % CLASSES if word is None else word
    entries["id"] = number + _ROUNDED + 1
    return entries


def settled(folder, entries, at_once=1000, given=0):
    folder.mkdir(exist_ok=True)
    index = Index(str(folder), len(entries) * BYTES, lambda file, at: f"file {file}, {at}")
    for start in range(0, len(entries), at_once):
        index.add(entries[start : start + at_once])
    files = np.full(int(entries["file"].max()) + 1, given)
    index.settle(np.arange(CLASSES, dtype="u2"), files)
    index.distribute(CLASSES, splits.DEFAULT, files, balance=False)
    return index


def all_of(index):
    return {s: index.entries(s, 0, index.length(s)).tolist() for s in splits.SPLITS}


@pytest.mark.parametrize("word", [None, NO_WORD], ids=["labelled", "unlabelled"])
def test_memory_does_not_grow_with_the_number_of_drawings(tmp_path, monkeypatch, word):
    monkeypatch.setattr(index_module, "_BYTES_A_PART", 32e5)  # a tenth, so that it is soon seen
    monkeypatch.setattr(index_module, "_AT_ONCE", 10_000)
    peaks = []
    for count in (10_000, 200_000):
        entries = entries_of(count, word)
        tracemalloc.start()
        settled(tmp_path / str(count), entries)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.3 * peaks[0] < 3e6


@pytest.mark.parametrize("word", [None, NO_WORD], ids=["labelled", "unlabelled"])
def test_whatever_the_number_of_parts_the_order_is_the_same(tmp_path, monkeypatch, word):
    entries = entries_of(30_000, word)
    entries["key"][5000:5100] = entries["key"][77]  # copies, that stay in a test set
    one = settled(tmp_path / "one", entries)
    monkeypatch.setattr(index_module, "_BYTES_A_PART", 32e4)
    monkeypatch.setattr(index_module, "_AT_ONCE", 700)
    many = settled(tmp_path / "many", entries)
    assert all_of(one) == all_of(many)
    for split in splits.SPLITS:
        keys = one.entries(split, 0, one.length(split))["key"]
        least = many.least(split, 9)["key"]
        assert least.tolist() == np.sort(keys)[:9].tolist()
    if word == NO_WORD:
        assert one.length("test") == len(entries)
        test = many.entries("test", 0, len(entries))
        for field in ("file", "position", "id"):
            assert (test[field] == entries[field]).all()
        assert len(np.unique(test["key"])) == len(entries)
    else:
        assert sum(map(many.length, splits.SPLITS)) == len(entries) - 100


def test_ids_are_looked_at_in_every_part(tmp_path, monkeypatch):
    monkeypatch.setattr(index_module, "_AT_ONCE", 50)
    one_without = entries_of(400, NO_WORD)
    one_without["id"][333] = 0
    with pytest.raises(QuickdrawError, match=f"file 0, {333 * BYTES}: a test record without a key"):
        settled(tmp_path / "without", one_without)
    rounded = entries_of(400, NO_WORD)
    rounded["id"] *= 10
    with pytest.raises(QuickdrawError, match="file 0, 0: the key_ids of all 400 test records end"):
        settled(tmp_path / "rounded", rounded)
    rounded["id"][399:] += 1  # a slice: NumPy 1 makes floats of a lone uint64 and an int
    settled(tmp_path / "not", rounded)


def test_a_test_record_with_a_label_beside_others_without_is_refused(tmp_path):
    mixed = np.concatenate([entries_of(20, 1), entries_of(20, NO_WORD, first=20, seed=1)])
    test = splits.SPLITS.index("test")
    with pytest.raises(QuickdrawError, match="a test record with a label, and file 0, .* without"):
        settled(tmp_path / "mixed", mixed, given=test)
