#!/bin/sh
# The vectors of many pictures in one request. For an API with APIGatewayAuthorization=NONE.
URL='https://API_ID.execute-api.REGION.amazonaws.com/STAGE/image-similarity'
set -- 'cat.jpg' 'other.jpg'

for file; do
  [ -r "$file" ] || { echo "$file can't be read" >&2; exit 1; }
done
{
  printf '{"images": ['
  separator=''
  for file; do
    printf '%s{"img": "%s"}' "$separator" "$(base64 < "$file" | tr -d '\n')"
    separator=', '
  done
  printf ']}'
} | curl --silent --show-error --fail-with-body "$URL" \
  --header 'Content-Type: application/json' \
  --data-binary @-
