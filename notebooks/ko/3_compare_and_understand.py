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
# # 3. 비교하고 이해하기
#
# 두 모델을 나란히 놓고, 어느 쪽이 얼마나 더 나은지, 무엇을 틀리는지, 얼마나 확신하는지, 무엇을
# 보는지 알아봅니다. 그림은 `python -m quickdraw.report`가 만드는 것과 같습니다.

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

import quickdraw.report as report
from quickdraw.datasets.sample import make_sample
from quickdraw.training import Settings, fit

# %% [markdown]
# 샘플은 프로그램이 그린 합성 데이터이며 몇 초면 만들어집니다. 사람이 그린 그림을 쓰려면 첫
# 페이지의 "실제 그림"에 나온 대로 `data/qd10`을 만들고 `data = "data/qd10"`이라고 쓰세요.

# %%
data = "data/sample"
if data == "data/sample":
    make_sample(data)

# %% [markdown]
# 실행 두 개: 픽셀 하나하나만 보는 소프트맥스 회귀와 작은 합성곱 신경망을 같은 프로세스에서
# 차례로 학습합니다. 그리고 둘 다 검증 그림에 한 번씩 답합니다. 아래 그림은 모두 그 답으로 그리며,
# 모델 하나를 보여 주는 그림은 더 나은 쪽의 것입니다. `report.confusion("runs/mine")`처럼 어떤
# 실행이든 볼 수 있습니다.

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
# ## 어느 쪽이 나은가?
#
# 차이의 구간이 0을 포함하지 않아야 의미가 있습니다. 그림이 적으면 운도 결과를 정합니다.

# %%
report.comparison(seen)

# %%
report.curves(seen)

# %% [markdown]
# ## 무엇을 틀리나?
#
# 행은 레이블, 열은 추측입니다. 서로 헷갈리는 클래스끼리 모여 있습니다.

# %%
report.confusion(seen)

# %%
report.classification(seen)

# %% [markdown]
# 가장 확신하면서 틀린 그림들입니다. 레이블이 틀렸을 수도 있습니다.

# %%
report.confident_mistakes(seen)

# %% [markdown]
# 두 모델이 모두 다른 이름으로 부르고, 특징 공간에서 가장 가까운 그림들도 다른 이름이라면
# 레이블이 틀렸을 가능성이 큽니다.

# %%
report.label_errors(seen)

# %% [markdown]
# ## 모른다는 것을 아는가?

# %%
report.reliability(seen)

# %%
report.coverage(seen)

# %% [markdown]
# ## 무엇을 보는가?
#
# 네모 하나하나는 합성곱 필터 하나가 그림에서 뽑아낸 것입니다. 앞쪽 층은 가장자리를, 뒤쪽 층은
# 모서리와 부분을 찾습니다. 그 아래는 그림의 일부를 가렸을 때 추측이 어떻게 달라지는지입니다.

# %%
report.layers(seen)

# %%
report.feature_maps(seen)

# %%
report.occlusion(seen)

# %% [markdown]
# ## 어디서 서로 다르게 보는가?
#
# 두 모델이 서로 다른 그림에서 틀린다면, 함께 쓸 때 하나씩일 때보다 낫습니다.

# %%
report.disagreement(seen)
