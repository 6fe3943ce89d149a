// The vectors of many pictures in one request. For APIGatewayAuthorization=NONE. Node 20.
import { readFile } from "node:fs/promises";

const URL = "https://API_ID.execute-api.REGION.amazonaws.com/STAGE/image-similarity";
const FILES = ["cat.jpg", "other.jpg"];

const images = await Promise.all(FILES.map(async (file) => ({ img: await readFile(file, "base64") })));
const response = await fetch(URL, {
  method: "POST",
  headers: { "Content-Type": "application/json" },
  body: JSON.stringify({ images }),
});
const text = await response.text();
if (!response.ok) {
  console.log(text);
  process.exit(1);
}
JSON.parse(text).results.forEach(({ result, error }, index) => {
  // An error is of this picture alone.
  console.log(JSON.stringify({ file: FILES[index], ...(error ? { error } : { numbers: result.length }) }));
});
