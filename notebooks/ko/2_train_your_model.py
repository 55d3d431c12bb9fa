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
# # 2. 내 모델 학습하기
#
# 셀에 직접 쓴 모델과 손실을, 곡선을 보면서 학습하고, 처음 보는 그림으로 시험합니다.

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
# 샘플은 프로그램이 그린 합성 데이터이며 몇 초면 만들어집니다. 사람이 그린 그림을 쓰려면 첫
# 페이지의 "실제 그림"에 나온 대로 `data/qd10`을 만들고 `data = "data/qd10"`이라고 쓰세요.

# %%
data = "data/sample"
if data == "data/sample":
    make_sample(data)

# %% [markdown]
# ## 모델
#
# `images`는 float32 `[batch, height, width, 1]`이고 0(종이)부터 1(선)까지입니다. 돌려주는 것은
# 로짓(logit), 클래스마다 숫자 하나입니다. 클수록 확신이 큽니다. 클래스의 속성이 모델의
# 파라미터입니다.


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
# ## 손실
#
# 배치의 그림마다 숫자 하나, 로짓이 얼마나 틀렸는지입니다. 이 손실은 포컬 손실(focal loss, Lin et
# al. 2017)처럼 이미 알아본 그림을 덜 봅니다.


# %%
class MyLoss(BaseLoss):
    power: float = 1.0

    def calculate_loss(self, logits, labels):
        loss = cross_entropy(logits, labels)
        return loss * (1.0001 - tf.exp(-loss)) ** self.power


# %% [markdown]
# ## 학습
#
# 네모 버튼을 누르면 하던 스텝을 마치고 멈추며, 같은 셀을 다시 실행하면 거기서 이어 갑니다. 끝난
# 셀을 다시 실행하면 학습된 모델이 바로 나옵니다. 모델이나 손실, 설정을 바꾸려면 다른
# `train_dir`을 쓰세요.
#
# 다른 프로그램이 노트북의 클래스를 찾지 못한다는 경고가 나옵니다. 모델이 마음에 들면
# `my_models.py` 같은 파일에 쓰고 임포트하세요.

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
# ## 얼마나 잘하나?
#
# 검증 그림에서 첫 번째 추측이 맞은 비율(top-1), 세 번 안에 맞은 비율(top-3), 캐글 방식의 MAP@3,
# 그리고 보정 오차(ECE)입니다. 90 % 확신할 때 열 번에 아홉 번 맞으면 ECE가 작습니다.

# %%
metrics = RunEvaluation(trained, "runs/mine").run()
for name, value in metrics.result().items():
    print(f"{name:6} {value:.4f}")
for name, figures in metrics.per_class(trained.labels).items():
    print(f"{name:13} precision {figures['precision']:6.1%}  recall {figures['recall']:6.1%}")

# %% [markdown]
# ## 물어보기
#
# 그림과 모델의 추측, 그리고 얼마나 확신하는지입니다. `predict`는 크기와 상관없이 Pillow 이미지도
# 받습니다. 직접 그린 그림의 사진을 줘 보세요.

# %%
reader = QuickDrawFeatureReader()
images, labels = next(iter(reader.dataset(f"{data}/valid-*", batch_size=16).as_numpy_iterator()))
guesses = [next(iter(each.items())) for each in trained.predict(images)]
texts = [f"{name} {probability:.0%}" for name, probability in guesses]
Image.fromarray(sheet.grid(images, texts))
