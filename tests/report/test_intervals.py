"""Intervals and tests, against SciPy's."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quickdraw.report.estimates import wilson
from quickdraw.report.intervals import bootstrap, paired_difference

stats = pytest.importorskip("scipy.stats", reason="needs SciPy, which comes with scikit-learn")


@given(st.integers(0, 400), st.integers(1, 400))
def test_wilson(right, more):
    count = right + more
    expected = stats.binomtest(right, count).proportion_ci(method="wilson")
    found = wilson(right, count)
    assert found.value == right / count
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), abs=1e-6)


def test_of_no_drawings_nothing_is_known():
    assert wilson(0, 0) == (0, 0, 1)


@given(st.integers(0, 300), st.integers(0, 300), st.integers(0, 300))
def test_mcnemar(both, only_first, only_second):
    first = np.repeat([True, True, False], [both, only_first, only_second])
    second = np.repeat([True, False, True], [both, only_first, only_second])
    found = paired_difference(first, second)
    disputed = only_first + only_second
    expected = stats.binomtest(only_first, disputed).pvalue if disputed else 1.0
    assert found.p == pytest.approx(expected, abs=1e-9)
    assert (found.only_first, found.only_second) == (only_first, only_second)
    assert found.low <= found.value <= found.high


def test_the_same_answers_do_not_differ():
    right = np.arange(50) % 3 > 0
    assert paired_difference(right, right) == (0, 0, 0, 0, 0, 1)


def test_bootstrap_has_the_figures_of_eval_inside_its_intervals(seen):
    for answers in seen.answers:
        result, found = answers.metrics.result(), bootstrap(answers)
        for name in ("map3", "loss", "ece"):
            assert found[name].value == pytest.approx(result[name], abs=1e-5)
            assert found[name].low <= found[name].value <= found[name].high
        assert found["loss"].low < found["loss"].high
