# The image that serves a leaderboard: Python and this package without TensorFlow; not root, and
# nothing is written but to /tmp (for uploads) and, with SQLite, to the folder of the database. See
# docs/en/leaderboard.md for `gcloud run deploy` with Cloud SQL. A live final needs onnxruntime, too.
# Not built with Docker yet; the same lines were tried as a virtual environment of Python 3.12 (160
# MB), as nobody, on a file system that is read-only but for /tmp and /data.
#
#   docker build --file=cloud/leaderboard.Dockerfile --tag=leaderboard .
#   docker run --read-only --tmpfs=/tmp --volume=board:/data --publish=8080:8080 leaderboard \
#     serve --database=/data/competition.db
#
# The dependencies are those that the server imports, not all of the package.
ARG PYTHON=3.12
FROM python:${PYTHON}-slim
ENV PIP_NO_CACHE_DIR=1 PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
RUN pip install absl-py fastapi google-cloud-storage google-crc32c jinja2 numpy pillow \
  "psycopg[binary]" python-multipart pyyaml sqlalchemy tzdata uvicorn
COPY setup.py README.en.md /src/
COPY quickdraw /src/quickdraw
RUN pip install --no-deps /src && rm -r /src && useradd --uid=10001 --create-home board \
  && mkdir /data && chown board /data
USER board
WORKDIR /data
ENTRYPOINT ["python", "-m", "quickdraw.leaderboard"]
CMD ["serve"]
