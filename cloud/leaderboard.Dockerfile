# The image that serves a leaderboard: Python and this package without TensorFlow; not built on a real machine yet; not
# root, and nothing is written but to /tmp (for uploads) and, with SQLite, to the folder of the
# database. See docs/en/leaderboard.md for `gcloud run deploy` with Cloud SQL.
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
