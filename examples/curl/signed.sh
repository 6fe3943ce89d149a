#!/bin/sh
# The similarity of two pictures; with one file, its vector. For an API with APIGatewayAuthorization=AWS_IAM.
# curl (7.75 or newer) signs with AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and, if temporary, AWS_SESSION_TOKEN.
URL='https://API_ID.execute-api.REGION.amazonaws.com/STAGE/image-similarity'
REGION='us-east-1'
set -- 'cat.jpg' 'other.jpg'

encode() { base64 < "$1" | tr -d '\n'; }
if [ $# -eq 1 ]; then
  printf '{"img": "%s"}' "$(encode "$1")"
else
  printf '{"img_1": "%s", "img_2": "%s"}' "$(encode "$1")" "$(encode "$2")"
fi | curl --silent --show-error --fail-with-body "$URL" \
  --aws-sigv4 "aws:amz:$REGION:execute-api" \
  --user "$AWS_ACCESS_KEY_ID:$AWS_SECRET_ACCESS_KEY" \
  ${AWS_SESSION_TOKEN:+--header "X-Amz-Security-Token: $AWS_SESSION_TOKEN"} \
  --header 'Content-Type: application/json' \
  --data-binary @-
