#!/usr/bin/env bash
# From a fresh clone to predictions.csv: installs the package into .venv, makes sample records,
# trains, evaluates, predicts and scores. Run it again at any time: what is done is not done twice.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/venv.sh

make_venv .venv --editable .
python=.venv/bin/python
data=data/sample
run=runs/quickstart

"$python" -m quickdraw.datasets.sample --output_dir="$data"
"$python" -m quickdraw.train --model=CnnModel --num_epochs=4 --train_dir="$run" \
  --train_data_pattern="$data/train-*" --eval_data_pattern="$data/valid-*"
"$python" -m quickdraw.eval --run_once --train_dir="$run"
"$python" -m quickdraw.inference --train_dir="$run" --input_data_pattern="$data/test-*"
"$python" -m quickdraw.score --predictions="$run/predictions.csv" --solution="$data/solution.csv"

cat <<END

Everything is in place:
  $data/            sample records; the drawings are synthetic, the README tells how to get real ones
  $run/             the run: run.json, checkpoints/, best.keras, metrics.csv, eval.json
  $run/predictions.csv
  .venv/                  the virtual environment: source .venv/bin/activate
Curves and pictures: .venv/bin/tensorboard --logdir=runs
Draw, and see it guess: .venv/bin/python -m pip install -e ".[serve]"; .venv/bin/python -m quickdraw.serve
Now write your own model: see "A model of your own" in README.en.md
END
