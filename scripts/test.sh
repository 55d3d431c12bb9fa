#!/usr/bin/env bash
# Checks and tests the package as a user has it: built and installed into .venv-test.
# Arguments go to pytest: scripts/test.sh -k png
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/venv.sh

make_venv .venv-test ".[dev]"
bin=.venv-test/bin
"$bin/ruff" check .
"$bin/ruff" format --check .
"$bin/mypy"
"$bin/lint-imports"
# pytest itself, not python -m: that would put the checkout before the installed package.
"$bin/pytest" -n auto --dist worksteal "$@"
