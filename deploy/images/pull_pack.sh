#!/bin/sh
# pull_pack.sh PACK PREFIX: the files of a model pack, checked, in PREFIX/packs. Needs ditto/ here.
set -eu
pack=$1
prefix=$2
DITTO_CACHE_DIR="$prefix/packs" "$prefix/venv/bin/python" -m ditto.cli models pull "$pack"
rm -rf "$prefix/packs/downloads"
rm -f "$prefix"/packs/*.lock
chmod -R a+rX "$prefix/packs"
