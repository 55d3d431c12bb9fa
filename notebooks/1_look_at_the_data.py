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
# # 1. Look at the data
#
# Before a machine learns from drawings, look at them yourself: how many there are, what they
# look like, how they reach the model, and which ones will be hard.

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

import numpy as np
from PIL import Image

from quickdraw.datasets.sample import make_sample
from quickdraw.drawings import sheet
from quickdraw.readers import QuickDrawFeatureReader

# %% [markdown]
# The sample is synthetic: a program drew it, in seconds. For drawings by people make `data/qd10`
# as the front page says ("Real drawings"), and write `data = "data/qd10"`.

# %%
data = "data/sample"
if data == "data/sample":
    make_sample(data)

# %% [markdown]
# ## How many drawings of each class?
#
# The records lie in shards, files of many records each. A reader decodes them: images are `uint8
# [height, width, 1]`, 0 is paper and 255 ink; labels are numbers, and `dataset.json` beside the
# shards says what they mean.

# %%
reader = QuickDrawFeatureReader()
names = reader.open(f"{data}/train-*").info.labels


def read(part):
    batches = reader.dataset(f"{data}/{part}-*", batch_size=1024).as_numpy_iterator()
    images, labels = zip(*batches, strict=True)
    return np.concatenate(images), np.concatenate(labels)


images, labels = read("train")
valid_images, valid_labels = read("valid")
print(f"{len(images):,} training and {len(valid_images):,} validation drawings, {images.shape[1:]}")
counts = np.bincount(labels, minlength=len(names))
for name, count in zip(names, counts, strict=True):
    print(f"{name:13} {count:6,} {'█' * round(40 * count / counts.max())}")

# %% [markdown]
# ## What do they look like?
#
# The first drawings, with their labels. Is any label wrong?

# %%
Image.fromarray(sheet.grid(images[:24], [names[label] for label in labels[:24]]))

# %% [markdown]
# ## The mean doodle
#
# The mean of all drawings of a class: where it is dark, most people have drawn a line. A sharp
# mean is a class that everybody draws alike; a cloud is one that everybody draws otherwise.

# %%
means = np.stack([images[labels == label].mean(axis=0) for label in range(len(names))])
brightest = means.max(axis=(1, 2, 3), keepdims=True)
Image.fromarray(sheet.grid((255 * means / brightest).astype(np.uint8), names, columns=5, scale=5))

# %% [markdown]
# ## Batches and epochs
#
# The model never sees all drawings at once. It takes a batch (say, 128 drawings), and its
# weights move a little: that is a step. When every drawing was seen once, an epoch is over, and
# the next one begins in another order.

# %%
batch_size, epochs = 128, 3
for epoch in range(epochs):
    order = np.random.default_rng(epoch).permutation(len(images))
    batches = [order[start : start + batch_size] for start in range(0, len(order), batch_size)]
    first = ", ".join(names[label] for label in labels[batches[0]][:6])
    print(f"epoch {epoch}: {len(batches)} steps, the last of {len(batches[-1])}; first: {first}")
Image.fromarray(
    sheet.grid(images[batches[0]][:16], [names[label] for label in labels[batches[0]][:16]])
)

# %% [markdown]
# ## What is hard, and why?
#
# A machine that learns nothing but the mean doodles: it calls a drawing whatever mean it is
# nearest to. How often is it right on the validation drawings, which it has not seen? That is the
# figure that a network must beat.


# %%
def distances(drawings):
    flat, centres = (x.reshape(len(x), -1) / 255 for x in (drawings, means))
    return ((flat**2).sum(1)[:, None] - 2 * flat @ centres.T + (centres**2).sum(1)) ** 0.5


far = distances(valid_images)
guesses = far.argmin(axis=1)
print(f"nearest mean: top-1 {(guesses == valid_labels).mean():.1%}; guessing: {1 / len(names):.1%}")
for label, name in enumerate(names):
    own = guesses[valid_labels == label]
    others = np.bincount(own[own != label], minlength=len(names))
    print(f"{name:13} {(own == label).mean():6.1%} right, else mostly {names[others.argmax()]}")

# %% [markdown]
# The drawings that are much nearer to another mean than to their own. Some are drawn unlike the
# others, some are hard for people too, and some have a wrong label. A network sees lines and
# corners where this machine sees single pixels: the next notebook trains one.

# %%
own = far[np.arange(len(far)), valid_labels]
hardest = np.argsort(far.min(axis=1) - own)[:16]
texts = [f"{names[valid_labels[i]]}? {names[guesses[i]]}" for i in hardest]
Image.fromarray(sheet.grid(valid_images[hardest], texts))
