#!/bin/sh
# Inside an image build: installs the locked requirements $1 into the folder $2, compiled and pruned.
set -eu
python3.12 -m pip install --no-cache-dir --disable-pip-version-check --root-user-action=ignore --no-compile \
  --no-deps --only-binary :all: --require-hashes --target "$2" -r "$1"
sh "$(dirname "$0")/prune.sh" "$2"
chmod -R a+rX "$2"
python3.12 -m compileall -q -j 0 --invalidation-mode unchecked-hash "$2"
