rem The vector of a picture on the web or in S3. For an API with APIGatewayAuthorization=NONE.
curl --location --request POST "https://API_ID.execute-api.REGION.amazonaws.com/STAGE/image-similarity" ^
--header "Content-Type: application/json" ^
--data-raw "{\"url\": \"Image URL address\"}"
