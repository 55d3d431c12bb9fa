# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 2. Train your model
#
# A model and a loss that you write into a cell, trained while you watch the curves, and tried on
# drawings that it has not seen.

# %% [markdown]
# The next cell installs the package where it is missing. In a clone of the repository it is a
# folder above; on Colab write what you would give to `git clone` instead: `PACKAGE =
# "git+https://…"`.

# %%
import importlib.util
import os
import subprocess
import sys

PACKAGE = ".." if os.path.exists("../setup.py") else "../.."
if importlib.util.find_spec("quickdraw") is None:
    subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", PACKAGE], check=True)

# %%
from quickdraw.cli import load_tensorflow

load_tensorflow()

from quickdraw.datasets.sample import make_sample
from quickdraw.drawings import sheet
from quickdraw.evaluation.run_evaluation import RunEvaluation
from quickdraw.losses import BaseLoss, cross_entropy
from quickdraw.models import BaseModel
from quickdraw.readers import QuickDrawFeatureReader
from quickdraw.training import Settings, fit

import tensorflow as tf
from keras import layers
from PIL import Image

# %% [markdown]
# The sample is synthetic: a program drew it, in seconds. For drawings by people make `data/qd10`
# as the front page says ("Real drawings"), and write `data = "data/qd10"`.

# %%
data = "data/sample"
if data == "data/sample":
    make_sample(data)

# %% [markdown]
# ## The model
#
# `images` are float32 `[batch, height, width, 1]`, 0 (paper) to 1 (ink); what is returned are
# logits, one number a class: the higher, the surer. The attributes are the model's parameters.


# %%
class MyModel(BaseModel):
    filters: tuple[int, ...] = (16, 32)
    units: int = 64

    def create_model(self, images, num_classes):
        x = images
        for filters in self.filters:
            x = layers.Conv2D(filters, 3, padding="same", activation="relu")(x)
            x = layers.MaxPooling2D()(x)
        x = layers.Dense(self.units, activation="relu")(layers.Flatten()(x))
        return layers.Dense(num_classes)(x)


# %% [markdown]
# ## The loss
#
# One number for each drawing of the batch: how wrong the logits are. This one looks less at
# drawings that are recognised already, as focal loss does (Lin et al. 2017).


# %%
class MyLoss(BaseLoss):
    power: float = 1.0

    def calculate_loss(self, logits, labels):
        loss = cross_entropy(logits, labels)
        return loss * (1.0001 - tf.exp(-loss)) ** self.power


# %% [markdown]
# ## Train
#
# The square button interrupts the training after the step that it is in, and the same cell goes
# on from there. A cell that has ended shows the trained model again, at once. Another model, loss
# or setting needs another `train_dir`.
#
# The warnings say that other programs will not find classes of a notebook: when you like your
# model, write it into a file, `my_models.py`, and import it.

# %%
settings = Settings(
    train_data_pattern=f"{data}/train-*",
    eval_data_pattern=f"{data}/valid-*",
    model=MyModel(filters=(16, 32, 64)),
    label_loss=MyLoss(),
    num_epochs=4,
    eval_every=0.5,
    train_dir="runs/mine",
)
trained = fit(settings)

# %% [markdown]
# ## How good is it?
#
# On the validation drawings: the share that is right at first guess (top-1) and within three
# guesses (top-3), MAP@3 as Kaggle counts, and the calibration error (ECE), which is small where
# 90 % sure means right 9 times out of 10.

# %%
metrics = RunEvaluation(trained, "runs/mine").run()
for name, value in metrics.result().items():
    print(f"{name:6} {value:.4f}")
for name, figures in metrics.per_class(trained.labels).items():
    print(f"{name:13} precision {figures['precision']:6.1%}  recall {figures['recall']:6.1%}")

# %% [markdown]
# ## Ask it
#
# Drawings with the guess, and how sure it is. `predict` also takes Pillow images of any size:
# give it a photo of your own drawing.

# %%
reader = QuickDrawFeatureReader()
images, labels = next(iter(reader.dataset(f"{data}/valid-*", batch_size=16).as_numpy_iterator()))
guesses = [next(iter(each.items())) for each in trained.predict(images)]
texts = [f"{name} {probability:.0%}" for name, probability in guesses]
Image.fromarray(sheet.grid(images, texts))
