// The similarity of two pictures; with one file, its vector. For APIGatewayAuthorization=AWS_IAM. Node 20.
// Needs `npm install aws4fetch`, and AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY (and AWS_SESSION_TOKEN) set.
import { readFile } from "node:fs/promises";
import { AwsClient } from "aws4fetch";

const URL = "https://API_ID.execute-api.REGION.amazonaws.com/STAGE/image-similarity";
const REGION = "us-east-1";
const FILES = ["cat.jpg", "other.jpg"];

const aws = new AwsClient({
  service: "execute-api",
  region: REGION,
  accessKeyId: process.env.AWS_ACCESS_KEY_ID,
  secretAccessKey: process.env.AWS_SECRET_ACCESS_KEY,
  sessionToken: process.env.AWS_SESSION_TOKEN,
});
const pictures = await Promise.all(FILES.map((file) => readFile(file, "base64")));
const payload = pictures.length === 1 ? { img: pictures[0] } : { img_1: pictures[0], img_2: pictures[1] };
const response = await aws.fetch(URL, {
  method: "POST",
  headers: { "Content-Type": "application/json" },
  body: JSON.stringify(payload),
});
console.log(await response.text());
process.exitCode = response.ok ? 0 : 1;
