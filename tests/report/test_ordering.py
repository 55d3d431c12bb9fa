"""Classes that are confused lie together."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from quickdraw.report.ordering import confused_together


def test_groups_come_out_as_groups():
    rng = np.random.default_rng(0)
    classes = rng.permutation(12)
    counts = 50 * np.eye(12, dtype=int)
    groups = [set(classes[start : start + 4].tolist()) for start in (0, 4, 8)]
    for size, group in enumerate(groups, 1):
        for label in group:
            for guess in group - {label}:
                counts[label, guess] = 3 * size
    order, neighbourhoods = confused_together(counts, 4)
    assert [set(order[start : start + 4]) in groups for start in (0, 4, 8)] == [True] * 3
    assert set(neighbourhoods[0]) == groups[2]  # the one with most confusions


@given(
    st.integers(1, 9).flatmap(lambda n: st.lists(st.integers(0, 5), min_size=n * n, max_size=n * n))
)
def test_every_class_is_there_once(numbers):
    side = int(len(numbers) ** 0.5)
    order, neighbourhoods = confused_together(np.array(numbers).reshape(side, side), 3)
    assert sorted(order) == list(range(side))
    assert all(1 < len(each) <= 3 for each in neighbourhoods)
