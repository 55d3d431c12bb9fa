"""The recipes in configs/ and the variants in scripts/ablations/: each is what train accepts."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from absl import flags

from quickdraw import cli, errors, losses, models, train
from quickdraw.components.component import create, parse_params
from quickdraw.components.lookup import component
from quickdraw.training import settings
from quickdraw.training.augmentation import Augmentation

ROOT = Path(__file__).resolve().parents[1]
RECIPES = sorted((ROOT / "configs").glob("*.json"))
ABLATIONS = sorted((ROOT / "scripts/ablations").glob("*.json"))


def settings_of(*arguments: str) -> settings.Settings:
    values = flags.FlagValues()
    cli.define_flags(values, train.Flags)
    cli.parse(values, ["train", *arguments])
    return cli.read_flags(values, train.Flags)


def check_names(chosen: settings.Settings) -> None:
    component(chosen.model, chosen.model_params, models.BaseModel)
    component(chosen.label_loss, chosen.loss_params, losses.BaseLoss)
    create(Augmentation, parse_params(chosen.augment))


@pytest.fixture(params=RECIPES, ids=lambda path: path.name)
def recipe(request) -> Path:
    return request.param


def test_there_are_recipes_and_ablations():
    assert RECIPES and ABLATIONS


def test_train_accepts_it(recipe):
    chosen = settings_of(f"--config={recipe}")
    check_names(chosen)
    assert chosen.train_data_pattern and chosen.eval_data_pattern


def test_its_comment_says_the_command(recipe):
    comment = json.loads(recipe.read_text(encoding="utf-8"))["comment"]
    assert f"--config=configs/{recipe.name}" in comment


@pytest.mark.parametrize("file", ABLATIONS, ids=lambda path: path.name)
def test_train_accepts_each_variant(file, monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "scripts")
    from ablate import flags_of

    described = json.loads(file.read_text(encoding="utf-8"))
    for changes in described["variants"].values():
        check_names(settings_of(*flags_of(described["base"], changes)))


@pytest.mark.parametrize("change", [{"batchsize": 1}, {"batch_size": "many"}, {"dry_run": 3}])
def test_a_mistake_in_it_is_refused(recipe, change, tmp_path):
    content = json.loads(recipe.read_text(encoding="utf-8")) | change
    (tmp_path / "config.json").write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(errors.UsageError, match=next(iter(change))):
        settings_of(f"--config={tmp_path / 'config.json'}")
