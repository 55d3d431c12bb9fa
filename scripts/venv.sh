# Sourced by the other scripts: `make_venv FOLDER PIP_ARGUMENT…` makes a virtual environment in
# FOLDER and installs into it what the arguments say, unless that is there already.

find_python() {
  local candidate
  for candidate in "${PYTHON:-python3}" python3.13 python3.12 python3.11; do
    if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
      echo "$candidate"
      return
    fi
  done
  echo "Python 3.11 or newer is needed (set PYTHON=/path/to/python3)." >&2
  return 1
}

make_venv() {
  local folder=$1 python
  shift
  if [ -f "$folder/installed" ] && [ -z "$(find setup.py quickdraw -newer "$folder/installed" \
      -name '*.py' -print -quit)" ]; then
    return
  fi
  python=$(find_python)
  [ -x "$folder/bin/python" ] || "$python" -m venv "$folder"
  echo "installing into $folder (the first time, some 800 MB are downloaded) …"
  "$folder/bin/python" -m pip install --quiet --disable-pip-version-check "$@"
  touch "$folder/installed"
}
