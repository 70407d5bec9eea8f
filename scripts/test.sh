#!/usr/bin/env bash
# Runs every check of the project on a bare machine: own environment, what Linux lacks, a virtual display, the tests.
#
#   scripts/test.sh               everything
#   scripts/test.sh tests/unit    only these tests (arguments go to pytest)
#
# WORKBENCH_TEST_ENV names the folder of the environment (default .venv-test).
set -euo pipefail
cd "$(dirname "$0")/.."
python=${PYTHON:-python3}
env=${WORKBENCH_TEST_ENV:-.venv-test}

say() { printf '\n== %s\n' "$*"; }

needed="libgl1 libegl1 libglib2.0-0 libdbus-1-3 libfontconfig1 libxkbcommon-x11-0 libxcb-cursor0 libxcb-icccm4 \
libxcb-keysyms1 libxcb-shape0 libxcb-randr0 xvfb xauth fonts-dejavu-core libgl1-mesa-dri"
if [ "$(uname)" = Linux ] && command -v dpkg-query >/dev/null; then
  missing=""
  for package in $needed; do
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing="$missing $package"
  done
  if [ -n "$missing" ]; then
    install="apt-get install -y --no-install-recommends$missing"
    if [ "$(id -u)" = 0 ]; then
      say "installing$missing"
      apt-get update -q >/dev/null || true
      DEBIAN_FRONTEND=noninteractive $install >/dev/null
    else
      say "not installed (run as root: $install); tests of the window may be skipped"
    fi
  fi
fi

say "environment in $env"
if [ ! -x "$env/bin/python" ]; then
  if ! "$python" -m venv "$env"; then
    [ "$(id -u)" = 0 ] || { echo "python3-venv is missing: apt-get install python3-venv"; exit 1; }
    rm -rf "$env"
    apt-get install -y --no-install-recommends python3-venv >/dev/null
    "$python" -m venv "$env"
  fi
fi
"$env/bin/python" -m pip install -q --disable-pip-version-check -e ".[test]"

if [ $# -eq 0 ]; then
  say "ruff"
  "$env/bin/ruff" check .
  "$env/bin/ruff" format --check .
  say "mypy"
  "$env/bin/mypy"
fi

export NUMBA_CACHE_DIR=${NUMBA_CACHE_DIR:-$PWD/$env/kernels}
export PYTHONFAULTHANDLER=1
say "pytest"
if [ "$(uname)" = Linux ] && command -v xvfb-run >/dev/null; then
  export QT_QPA_PLATFORM=xcb LIBGL_ALWAYS_SOFTWARE=1
  exec xvfb-run -a -s "-screen 0 1920x1200x24 +extension GLX" "$env/bin/python" -m pytest "$@"
fi
exec "$env/bin/python" -m pytest "$@"
