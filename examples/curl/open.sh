#!/bin/sh
# The similarity of two pictures; with one file, its vector. For an API with APIGatewayAuthorization=NONE.
URL='https://API_ID.execute-api.REGION.amazonaws.com/STAGE/image-similarity'
set -- 'cat.jpg' 'other.jpg'

encode() { base64 < "$1" | tr -d '\n'; }
if [ $# -eq 1 ]; then
  printf '{"img": "%s"}' "$(encode "$1")"
else
  printf '{"img_1": "%s", "img_2": "%s"}' "$(encode "$1")" "$(encode "$2")"
fi | curl --silent --show-error --fail-with-body "$URL" \
  --header 'Content-Type: application/json' \
  --data-binary @-
