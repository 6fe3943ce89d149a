"""The similarity of two pictures; with one file, its vector. For an API with APIGatewayAuthorization=AWS_IAM.

botocore finds the credentials: environment, ~/.aws, SSO or the machine's role.
"""

import base64
import json
from pathlib import Path

import requests
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.session import Session

URL = "https://API_ID.execute-api.REGION.amazonaws.com/STAGE/image-similarity"
REGION = "us-east-1"
FILES = ["cat.jpg", "other.jpg"]

names = ["img"] if len(FILES) == 1 else ["img_1", "img_2"]
payload = {
    name: base64.b64encode(Path(file).read_bytes()).decode() for name, file in zip(names, FILES, strict=True)
}
call = AWSRequest("POST", URL, headers={"Content-Type": "application/json"}, data=json.dumps(payload))
SigV4Auth(Session().get_credentials(), "execute-api", REGION).add_auth(call)
response = requests.post(URL, data=call.body, headers=dict(call.headers), timeout=30)
print(response.text)
response.raise_for_status()
