"""What a sweep leaves: a ranked table, and a picture of whatever trials there are."""

from __future__ import annotations

import warnings

import numpy as np
import optuna
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import TrialState, create_trial
from PIL import Image

from quickdraw.tuning import results
from quickdraw.tuning.results import Row
from quickdraw.tuning.search import Choice, Range


def test_the_table_is_ranked_and_aligned():
    rows = [
        Row("trial-000", "done", 0.5, 1, {"a": 0.001, "b": "x"}),
        Row("trial-001", "failed", None, 0.5, {"a": 0.002, "b": "longer"}, "no such model"),
        Row("trial-002", "pruned", 0.7, 1, {"a": 0.25, "b": "x"}),
        Row("trial-003", "done", 0.625, 12.25, {"a": 1 / 3, "b": "x"}),
    ]
    space = {"a": Range(0.0, 1.0), "b": Choice(("x", "longer"))}
    assert results.table(space, rows).splitlines() == [
        "trial       top-1  minutes       a       b",
        "trial-003  62.50%     12.2  0.3333       x",
        "trial-000  50.00%      1.0   0.001       x",
        "trial-002  70.00%      1.0    0.25       x  pruned",
        "trial-001              0.5   0.002  longer  no such model",
    ]


DISTRIBUTIONS = {
    "rate": FloatDistribution(1e-4, 1e-1, log=True),
    "dropout": FloatDistribution(0.0, 0.5),
    "units": IntDistribution(8, 512, log=True),
    "optimizer": CategoricalDistribution(("adamw", "muon")),
}
VALUES = {"rate": [1e-3, 1e-2], "dropout": [0.1, 0.2], "units": [8, 64], "optimizer": ["muon"] * 2}


def trial(top1, *names, at=0, state=TrialState.COMPLETE):
    return create_trial(
        state=state,
        value=top1,
        params={name: VALUES[name][at] for name in names},
        distributions={name: DISTRIBUTIONS[name] for name in names},
    )


def drawn(folder, trials):
    """The picture of a study: uint8 `[height, width, 3]`."""
    study = optuna.create_study(direction="maximize")
    study.add_trials(trials)
    results.save_plot(str(folder), study)
    with Image.open(folder / "results.png") as image:
        assert image.format == "PNG"
        return np.asarray(image.convert("RGB"))


def ignored(state):
    return trial(None, "rate", at=1, state=state)


@pytest.mark.parametrize(
    "trials",
    [
        [trial(0.5, "rate")],
        [trial(0.5, *DISTRIBUTIONS)],
        [trial(0.5, "rate"), trial(0.5, "rate")],
        [trial(0.0, *DISTRIBUTIONS), trial(1.0, *DISTRIBUTIONS, at=1)],
        [trial(0.5, "rate"), trial(0.6, "units"), trial(0.7, "optimizer", "rate", at=1)],
        [trial(0.5, "dropout"), ignored(TrialState.PRUNED), ignored(TrialState.FAIL)],
    ],
    ids=["one", "one of four flags", "equal", "two", "different flags", "pruned and failed"],
)
def test_any_trials_can_be_drawn(tmp_path, trials):
    image = drawn(tmp_path, trials)
    panels = len({name for each in trials for name in each.params if each.value is not None})
    assert image.shape[1] == (960 if panels == 1 else 480 * panels)
    assert len(np.unique(image.reshape(-1, 3), axis=0)) > 50


def test_a_picture_changes_nothing_else(tmp_path):
    from matplotlib import pyplot

    before, filters = dict(pyplot.rcParams), list(warnings.filters)
    drawn(tmp_path, [trial(0.5, "rate")])
    assert pyplot.get_fignums() == []
    assert dict(pyplot.rcParams) == before | {"backend": pyplot.rcParams["backend"]}
    assert warnings.filters == filters
