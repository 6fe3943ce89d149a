"""The vectors of many pictures in one request. For an API with APIGatewayAuthorization=AWS_IAM.

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

images = [{"img": base64.b64encode(Path(file).read_bytes()).decode()} for file in FILES]
body = json.dumps({"images": images})
call = AWSRequest("POST", URL, headers={"Content-Type": "application/json"}, data=body)
SigV4Auth(Session().get_credentials(), "execute-api", REGION).add_auth(call)
response = requests.post(URL, data=call.body, headers=dict(call.headers), timeout=30)
if not response.ok:
    raise SystemExit(response.text)
for file, result in zip(FILES, response.json()["results"], strict=True):
    if "error" in result:  # of this picture alone
        print(json.dumps({"file": file, **result}))
    else:
        print(json.dumps({"file": file, "numbers": len(result["result"])}))
