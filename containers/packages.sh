#!/bin/sh
# Inside an image build: installs the locked requirements $1 into the folder $2, without what no request needs.
set -eu
python3.12 -m pip install --no-cache-dir --disable-pip-version-check --root-user-action=ignore --no-compile \
  --no-deps --only-binary :all: --require-hashes --target "$2" -r "$1"
# The service definitions of some 400 other AWS services; credentials may ask STS.
find "$2/botocore/data" -mindepth 1 -maxdepth 1 -type d ! -name s3 ! -name sts -exec rm -r {} +
find "$2/numpy" -type d -name tests -prune -exec rm -r {} +
rm -rf "$2/bin" "$2/onnxruntime/transformers" "$2/onnxruntime/quantization" "$2/onnxruntime/tools"
chmod -R a+rX "$2"
python3.12 -m compileall -q -j 0 --invalidation-mode unchecked-hash "$2"
