#!/bin/sh
# Removes from the folder of installed packages $1 what no request needs: half of it, and decoders of formats
# that we don't accept.
set -eu
cd "$1"
# The service definitions of some 400 other AWS services; credentials may ask STS, a catalogue the other three.
find botocore/data -mindepth 1 -maxdepth 1 -type d ! -name s3 ! -name sts ! -name s3vectors ! -name sqs \
  ! -name dynamodb -exec rm -r {} +
find numpy -type d -name tests -prune -exec rm -r {} +
rm -rf bin numpy/f2py numpy/distutils
cd onnxruntime
# The library is for programs in C: Python's module has all of it once more.
rm -rf transformers quantization tools backend datasets capi/libonnxruntime.so*
cd ../PIL
rm -f _avif.* _imagingft.* _imagingcms.* _imagingtk.* _imagingmath.* _imagingmorph.*
cd ../pillow.libs
rm -f libavif-* libfreetype-* libharfbuzz-* liblcms2-* libpng16-* libbrotli*
