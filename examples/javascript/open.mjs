// The similarity of two pictures; with one file, its vector. For APIGatewayAuthorization=NONE. Node 20.
import { readFile } from "node:fs/promises";

const URL = "https://API_ID.execute-api.REGION.amazonaws.com/STAGE/image-similarity";
const FILES = ["cat.jpg", "other.jpg"];

const pictures = await Promise.all(FILES.map((file) => readFile(file, "base64")));
const payload = pictures.length === 1 ? { img: pictures[0] } : { img_1: pictures[0], img_2: pictures[1] };
const response = await fetch(URL, {
  method: "POST",
  headers: { "Content-Type": "application/json" },
  body: JSON.stringify(payload),
});
console.log(await response.text());
process.exitCode = response.ok ? 0 : 1;
