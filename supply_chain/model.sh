#!/bin/sh
# The model stage of an image build, in three steps that the build can keep apart in its cache:
#   check       refuses weights that are not pinned, or warns of them, before anything large is fetched
#   install     torch and open_clip, where they are needed
#   export DIR  model.onnx, its weights and manifest.json into DIR, compared by SHA-256
# MODEL, PRETRAINED, PRECISION, PINS and TORCH_INDEX are the build's arguments. A checkpoint whose tag open_clip does not
# know has its preprocessing beside it: checkpoints/mine.safetensors, checkpoints/mine.json.
set -eu
by_name=$(if [ "${PINS:-required}" = optional ]; then echo --by-name; fi)
weights() { python3 -m supply_chain.weights --model "$MODEL" --pretrained "$PRETRAINED" $by_name "$@"; }
embedded() { [ "$MODEL" = embedded ]; }

case "$1" in
check)
  if ! embedded; then weights --check; fi
  if ! embedded && [ "$PRECISION" = int8 ]; then weights --int8 > /dev/null; fi
  if embedded && [ "$PRECISION" != fp16 ]; then
    echo "The embedded model comes as fp16 alone: leave PRECISION away, or take another MODEL." >&2
    exit 1
  fi
  ;;
install)
  if embedded; then exit 0; fi
  export PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore
  # The lock is whole but for torch and torchvision, which packages in it ask for: no resolving.
  python3 -m pip install --no-deps --require-hashes -r supply_chain/requirements-export.txt
  python3 -m pip install --no-deps --extra-index-url "$TORCH_INDEX" -r supply_chain/torch.txt
  ;;
export)
  folder=$2
  if embedded; then
    cp -r image_similarity/models/embedded "$folder"
  else
    file=$(weights)
    set -- --model "$MODEL" --pretrained "$PRETRAINED" --output "$folder"
    # No file: open_clip fetches what the tag stands for today.
    if [ -n "$file" ]; then set -- "$@" --checkpoint "$file"; fi
    if [ -f "${file%.*}.json" ]; then set -- "$@" --preprocessing "${file%.*}.json"; fi
    if [ "$PRECISION" = int8 ]; then
      scheme=$(weights --int8)
      # Unquoted: without a pinned scheme it is the first that is exact enough.
      set -- "$@" --int8 $scheme
    fi
    python3 -m image_similarity.inference.export "$@"
  fi
  python3 -m supply_chain.weights --verify "$folder"
  chmod -R a+rX "$folder"
  ;;
*)
  echo "model.sh: $1 is none of check, install, export" >&2
  exit 1
  ;;
esac
