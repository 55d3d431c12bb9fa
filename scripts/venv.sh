# Sourced by the other scripts: `make_venv FOLDER PIP_ARGUMENT…` makes a virtual environment in
# FOLDER and installs into it what the arguments say, unless that is there already.

# Whether this Python is one that TensorFlow has wheels for.
_suits='
import sys, sysconfig
gil = not sysconfig.get_config_var("Py_GIL_DISABLED")
sys.exit(not ((3, 11) <= sys.version_info[:2] <= (3, 13) and gil and sys.maxsize > 2**32))'

find_python() {
  local candidate
  for candidate in ${PYTHON:+"$PYTHON"} python3 python3.13 python3.12 python3.11 python; do
    if "$candidate" -c "$_suits" 2>/dev/null; then
      echo "$candidate"
      return
    elif command -v "$candidate" >/dev/null; then
      echo "passing over $candidate ($("$candidate" --version 2>&1)): there is no TensorFlow for it" >&2
    fi
  done
  echo "Python 3.11, 3.12 or 3.13 (64 bits) is needed: set PYTHON=/path/to/python3.12." >&2
  return 1
}

make_venv() {
  local folder=$1 python
  shift
  if [ -f "$folder/installed" ] && [ -z "$(find setup.py quickdraw -newer "$folder/installed" \
      -name '*.py' -print -quit)" ]; then
    return
  fi
  if [ ! -x "$folder/bin/python" ]; then
    python=$(find_python)
    "$python" -m venv "$folder"
  elif ! "$folder/bin/python" -c "$_suits"; then
    echo "$folder has $("$folder/bin/python" --version), and there is no TensorFlow for it: delete $folder" >&2
    return 1
  fi
  echo "installing into $folder (the first time, some 800 MB are downloaded) …"
  "$folder/bin/python" -m pip install --quiet --disable-pip-version-check "$@"
  touch "$folder/installed"
}
