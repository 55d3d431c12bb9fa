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
# # 1. 데이터 살펴보기
#
# 기계에 그림을 가르치기 전에 먼저 눈으로 보세요. 몇 장이 있는지, 어떻게 생겼는지, 모델에 어떻게
# 들어가는지, 어떤 것이 어려울지.

# %% [markdown]
# 다음 셀은 패키지가 없을 때 설치합니다. 저장소를 클론했다면 위쪽 폴더이고, Colab에서는 `git
# clone`에 줄 주소를 대신 쓰세요: `PACKAGE = "git+https://…"`.

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
# 샘플은 프로그램이 그린 합성 데이터이며 몇 초면 만들어집니다. 사람이 그린 그림을 쓰려면 첫
# 페이지의 "실제 그림"에 나온 대로 `data/qd10`을 만들고 `data = "data/qd10"`이라고 쓰세요.

# %%
data = "data/sample"
if data == "data/sample":
    make_sample(data)

# %% [markdown]
# ## 클래스마다 그림이 몇 장인가?
#
# 레코드는 샤드(여러 레코드를 담은 파일)에 들어 있습니다. 리더(reader)가 이것을 디코딩합니다.
# 이미지는 `uint8 [height, width, 1]`이고 0은 종이, 255는 선입니다. 레이블은 번호이며, 샤드 옆의
# `dataset.json`에 그 뜻이 있습니다.

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
# ## 어떻게 생겼나?
#
# 처음 몇 장과 그 레이블입니다. 잘못 붙은 레이블이 있나요?

# %%
Image.fromarray(sheet.grid(images[:24], [names[label] for label in labels[:24]]))

# %% [markdown]
# ## 평균 그림
#
# 한 클래스의 모든 그림을 평균한 것입니다. 진한 곳은 많은 사람이 선을 그은 곳입니다. 또렷하면
# 모두가 비슷하게 그리는 클래스, 구름처럼 흐리면 저마다 다르게 그리는 클래스입니다.

# %%
means = np.stack([images[labels == label].mean(axis=0) for label in range(len(names))])
brightest = means.max(axis=(1, 2, 3), keepdims=True)
Image.fromarray(sheet.grid((255 * means / brightest).astype(np.uint8), names, columns=5, scale=5))

# %% [markdown]
# ## 배치와 에폭
#
# 모델은 모든 그림을 한꺼번에 보지 않습니다. 배치 하나(예를 들어 128장)를 보고 가중치를 조금
# 움직입니다. 이것이 스텝입니다. 모든 그림을 한 번씩 보면 에폭 하나가 끝나고, 다음 에폭은 다른
# 순서로 시작합니다.

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
# ## 무엇이, 왜 어려운가?
#
# 평균 그림밖에 모르는 기계를 생각해 봅시다. 어떤 그림이든 가장 가까운 평균의 이름으로 부릅니다.
# 처음 보는 검증 그림을 얼마나 맞힐까요? 신경망이 넘어서야 할 숫자입니다.


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
# 자기 클래스의 평균보다 다른 평균에 훨씬 더 가까운 그림들입니다. 남다르게 그린 것, 사람에게도
# 어려운 것, 레이블이 틀린 것이 섞여 있습니다. 이 기계는 픽셀 하나하나만 보지만, 신경망은 선과
# 모서리를 봅니다. 다음 노트북에서 신경망을 학습시킵니다.

# %%
own = far[np.arange(len(far)), valid_labels]
hardest = np.argsort(far.min(axis=1) - own)[:16]
texts = [f"{names[valid_labels[i]]}? {names[guesses[i]]}" for i in hardest]
Image.fromarray(sheet.grid(valid_images[hardest], texts))
