"""The recipes in configs/: each is what train accepts, and says what it gave."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from absl import flags

from quickdraw import cli, losses, models, settings, train
from quickdraw.components import component, create, parse_params
from quickdraw.training.augmentation import Augmentation

RECIPES = sorted((Path(__file__).resolve().parents[1] / "configs").glob("*.json"))


def settings_of(recipe: Path) -> settings.Settings:
    values = flags.FlagValues()
    train.define_flags(values)
    cli.parse(values, ["train", f"--config={recipe}"])
    return settings.from_flags(values)


@pytest.fixture(params=RECIPES, ids=lambda path: path.name)
def recipe(request) -> Path:
    return request.param


def test_there_are_recipes():
    assert RECIPES


def test_train_accepts_it(recipe):
    chosen = settings_of(recipe)
    component(chosen.model, chosen.model_params, models.BaseModel)
    component(chosen.label_loss, chosen.loss_params, losses.BaseLoss)
    create(Augmentation, parse_params(chosen.augment))
    assert chosen.train_data_pattern and chosen.eval_data_pattern


def test_its_comment_says_the_command(recipe):
    comment = json.loads(recipe.read_text(encoding="utf-8"))["comment"]
    assert f"--config=configs/{recipe.name}" in comment


@pytest.mark.parametrize("change", [{"batchsize": 1}, {"batch_size": "many"}, {"dry_run": 3}])
def test_a_mistake_in_it_is_refused(recipe, change, tmp_path):
    content = json.loads(recipe.read_text(encoding="utf-8")) | change
    (tmp_path / "config.json").write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(cli.UsageError, match=next(iter(change))):
        settings_of(tmp_path / "config.json")
