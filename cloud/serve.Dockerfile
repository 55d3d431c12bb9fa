# The image that serves models, or the final: Python and this package without TensorFlow, not root,
# and nothing is written but to /tmp. It takes what `python -m quickdraw.export` wrote, from gs://;
# runs themselves need TensorFlow to be exported. See docs/en/play.md for `gcloud run deploy`. Not
# built with Docker yet: tests/test_images.py looks whether these packages are enough.
#
#   docker build --file=cloud/serve.Dockerfile --tag=serve .
#   docker run --read-only --tmpfs=/tmp --publish=8080:8080 serve \
#     quickdraw.serve --host=0.0.0.0 --port=8080 --train_dir=gs://my-bucket/exports/cnn
#
# The dependencies are those that the server imports, not all of the package.
ARG PYTHON=3.12
FROM python:${PYTHON}-slim
ENV PIP_NO_CACHE_DIR=1 PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 XDG_CACHE_HOME=/tmp/cache
RUN pip install absl-py fastapi google-cloud-storage google-crc32c jinja2 numpy onnxruntime pillow \
  pyyaml segno "uvicorn[standard]"
COPY setup.py README.en.md /src/
COPY quickdraw /src/quickdraw
RUN pip install --no-deps /src && rm -r /src && useradd --uid=10001 --create-home play
USER play
WORKDIR /tmp
ENTRYPOINT ["python", "-m"]
CMD ["quickdraw.serve", "--help"]
