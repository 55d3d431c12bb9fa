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
# # 3. Compare and understand
#
# Two models side by side: which is better and by how much, what they get wrong, how sure they
# are, and what they look at. The pictures are those of `python -m quickdraw.report`.

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

import quickdraw.report as report
from quickdraw.datasets.sample import make_sample
from quickdraw.training import Settings, fit

# %% [markdown]
# The sample is synthetic: a program drew it, in seconds. For drawings by people make `data/qd10`
# as the front page says ("Real drawings"), and write `data = "data/qd10"`.

# %%
data = "data/sample"
if data == "data/sample":
    make_sample(data)

# %% [markdown]
# Two runs: softmax regression, which sees single pixels, and a small convolutional network. Both
# then answer the validation drawings, once: the figures below are made of that, and those of one
# model are of the better one. `report.confusion("runs/mine")` works for any run.

# %%
valid = f"{data}/valid-*"
for model in ("LogisticModel", "CnnModel"):
    fit(
        Settings(
            train_data_pattern=f"{data}/train-*",
            eval_data_pattern=valid,
            model=model,
            num_epochs=3,
            train_dir=f"runs/compared/{model}",
        )
    )
seen = report.evaluate(["runs/compared/LogisticModel", "runs/compared/CnnModel"], valid)

# %% [markdown]
# ## Which is better?
#
# A difference counts where its interval leaves out 0: with few drawings, luck decides too.

# %%
report.comparison(seen)

# %%
report.curves(seen)

# %% [markdown]
# ## What does it get wrong?
#
# Rows are labels, columns guesses; classes that are mistaken for each other lie together.

# %%
report.confusion(seen)

# %%
report.classification(seen)

# %% [markdown]
# The mistakes that it was surest of: the label may be wrong, too.

# %%
report.confident_mistakes(seen)

# %% [markdown]
# Where both models call a drawing something else, and the drawings that lie next to it in their
# features do too, the label is likely wrong.

# %%
report.label_errors(seen)

# %% [markdown]
# ## Does it know when it does not know?

# %%
report.reliability(seen)

# %%
report.coverage(seen)

# %% [markdown]
# ## What does it look at?
#
# Each square is what one filter of a convolution makes of a drawing: the first layers find
# edges, the later ones corners and parts. Below, what happens to the guess when a piece of the
# drawing is hidden.

# %%
report.layers(seen)

# %%
report.feature_maps(seen)

# %%
report.occlusion(seen)

# %% [markdown]
# ## Where do they disagree?
#
# Where two models are wrong about different drawings, both together are better than each.

# %%
report.disagreement(seen)
