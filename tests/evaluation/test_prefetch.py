"""Working ahead."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from quickdraw.evaluation.prefetch import in_parallel, prefetch


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


def test_results_come_in_the_order_of_the_items():
    assert list(in_parallel(str, range(100), 3)) == [str(number) for number in range(100)]
    assert list(in_parallel(str, [])) == []


def test_two_are_made_at_once():
    both = threading.Barrier(2)
    assert len(list(in_parallel(lambda _: both.wait(10), [1, 2]))) == 2


def test_an_error_of_the_function_comes_in_its_turn():
    results = in_parallel(lambda number: 1 / number, [1, 0, 2])
    assert next(results) == 1
    with pytest.raises(ZeroDivisionError):
        next(results)


def test_no_more_items_are_taken_than_are_worked_on():
    taken: list[int] = []
    results = in_parallel(str, (taken.append(number) or number for number in range(100)))
    next(results)
    results.close()
    assert len(taken) <= 3
