"""Worker processes for one data set."""

import os

import pytest

from quickdraw.datasets.writing.workers import workers

THREADS = "OPENBLAS_NUM_THREADS"


def _threads(shared: str, job: int) -> tuple[str, int, str | None]:
    return shared, job, os.environ.get(THREADS)


@pytest.mark.parametrize("chosen", [None, "3"])
def test_threads_that_would_only_spin_are_not_started_in_workers(
    chosen: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    if chosen:
        monkeypatch.setenv(THREADS, chosen)
    else:
        monkeypatch.delenv(THREADS, raising=False)
    with workers(2, "shared") as run:
        found = list(run(_threads, range(5)))
    assert found == [("shared", job, chosen or "1") for job in range(5)]
    assert os.environ.get(THREADS) == chosen
