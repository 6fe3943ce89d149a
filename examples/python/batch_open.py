"""The vectors of many pictures in one request. For an API with APIGatewayAuthorization=NONE."""

import base64
import json
from pathlib import Path

import requests

URL = "https://API_ID.execute-api.REGION.amazonaws.com/STAGE/image-similarity"
FILES = ["cat.jpg", "other.jpg"]

images = [{"img": base64.b64encode(Path(file).read_bytes()).decode()} for file in FILES]
response = requests.post(URL, json={"images": images}, timeout=30)
response.raise_for_status()
for file, result in zip(FILES, response.json()["results"], strict=True):
    if "error" in result:  # of this picture alone
        print(json.dumps({"file": file, **result}))
    else:
        print(json.dumps({"file": file, "numbers": len(result["result"])}))
