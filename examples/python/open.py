"""The similarity of two pictures; with one file, its vector. For an API with APIGatewayAuthorization=NONE."""

import base64
from pathlib import Path

import requests

URL = "https://API_ID.execute-api.REGION.amazonaws.com/STAGE/image-similarity"
FILES = ["cat.jpg", "other.jpg"]

names = ["img"] if len(FILES) == 1 else ["img_1", "img_2"]
payload = {
    name: base64.b64encode(Path(file).read_bytes()).decode() for name, file in zip(names, FILES, strict=True)
}
response = requests.post(URL, json=payload, timeout=30)
print(response.text)
response.raise_for_status()
