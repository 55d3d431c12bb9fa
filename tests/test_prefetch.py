"""Working ahead."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from quickdraw.prefetch import prefetch


def test_the_same_items_in_the_same_order():
    assert list(prefetch(range(100))) == list(range(100))
    assert list(prefetch([])) == []


def test_the_next_is_made_while_the_caller_is_busy():
    made = threading.Event()

    def items() -> Iterator[int]:
        yield 1
        made.set()
        yield 2

    assert next(prefetch(items())) == 1
    assert made.wait(10)


def test_an_error_comes_in_its_turn():
    def items() -> Iterator[int]:
        yield 1
        raise KeyError("broken")

    ahead = prefetch(items())
    assert next(ahead) == 1
    with pytest.raises(KeyError, match="broken"):
        next(ahead)


def test_no_more_is_made_than_may_wait():
    made: list[int] = []
    ahead = prefetch((made.append(number) or number for number in range(100)), ahead=2)
    next(ahead)
    ahead.close()
    assert len(made) <= 3
