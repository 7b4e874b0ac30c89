#!/bin/sh
# install.sh SET PREFIX: the pinned packages of requirements/SET.txt in a new environment PREFIX/venv.
set -eu
packages=$1
prefix=$2
python3 -m venv "$prefix/venv"
"$prefix/venv/bin/python" -m pip install --no-cache-dir --disable-pip-version-check --no-input \
    --only-binary :all: -r "requirements/$packages.txt"
