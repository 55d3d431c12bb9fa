#!/usr/bin/env bash
# Checks and tests the package as a user has it: built and installed into .venv-test.
# Tests marked slow run where QUICKDRAW_TEST_EVERYTHING is set, as .ci/run does.
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
which=(-m "not slow")
[ -z "${QUICKDRAW_TEST_EVERYTHING:-}" ] || which=()
# pytest itself, not python -m: that would put the checkout before the installed package.
"$bin/pytest" -n auto --dist worksteal "${which[@]}" "$@" ||
  # Tests that kill and time processes are at the mercy of what runs beside them: what failed is
  # tried once more, alone, and counts if it fails again. No failures at all (a broken import): no.
  "$bin/pytest" -n 1 --last-failed --last-failed-no-failures none -x
