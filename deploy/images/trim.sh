#!/bin/sh
# trim.sh PREFIX: leave out of PREFIX/venv what only building and testing need.
set -eu
prefix=$1
"$prefix/venv/bin/python" -m pip uninstall --quiet --yes pip
find "$prefix/venv" -type d \( -name tests -o -name test \) -prune -exec rm -rf {} +
find "$prefix/venv" -type f -name '*.pyi' -delete
